#include "double/es_double.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <set>
#include <utility>

namespace launchwarden {

struct EsDouble::Client {
  std::mutex mutex;  // the handler is called with it held: serially
  EsHandler handler;
  bool closed = false;
  bool inverted = false;
  std::set<std::pair<EsTarget, std::string>> targets;
  std::array<bool, kEsKinds> subscribed{};
  std::array<uint64_t, kEsKinds> sequence{};
  uint64_t global = 0;
};

struct EsDouble::Shared {
  explicit Shared(EsScript given) : script(std::move(given)) {}
  const EsScript script;
  std::mutex mutex;
  std::vector<std::string> calls;
  std::vector<std::shared_ptr<Client>> clients;
  std::atomic<bool> playing{false};
  std::atomic<bool> halt{false};

  void Called(std::string call) {
    std::lock_guard<std::mutex> lock(mutex);
    calls.push_back(std::move(call));
  }
};

namespace {

bool HasTarget(EsKind kind) {
  return kind != EsKind::kFork && kind != EsKind::kExit && kind != EsKind::kBtmAdd && kind != EsKind::kBtmRemove &&
         kind != EsKind::kBootstrapCheckIn;
}

bool Holds(const std::set<std::pair<EsTarget, std::string>>& targets, std::string_view path) {
  return std::any_of(targets.begin(), targets.end(), [&](const auto& target) {
    return target.first == EsTarget::kPrefix ? path.substr(0, target.second.size()) == target.second
                                             : path == target.second;
  });
}

// Inverted muting selects a message when ANY of its target paths is listed.
bool Selected(const std::set<std::pair<EsTarget, std::string>>& targets, const EsMessage& message) {
  std::string joined(message.directory);
  if (!joined.empty() && joined.back() != '/') joined += '/';
  joined += message.name;
  return (message.has_file && Holds(targets, message.file.path)) ||
         (message.has_other && Holds(targets, message.other.path)) ||
         (!message.directory.empty() && Holds(targets, joined)) ||
         (message.kind == EsKind::kExec && Holds(targets, message.process.executable));
}

}  // namespace

class EsDouble::Connection final : public EsConnection {
 public:
  Connection(std::shared_ptr<Shared> shared, std::shared_ptr<Client> client)
      : shared_(std::move(shared)), client_(std::move(client)) {}
  ~Connection() override {
    if (!client_->closed) Close();
  }

  bool MuteSelf() override { return Call("mute-self", !shared_->script.muting_fails); }

  bool ClearTargets() override {
    std::lock_guard<std::mutex> lock(client_->mutex);
    client_->targets.clear();
    return Call("clear-targets", true);
  }

  bool InvertTargets() override {
    std::lock_guard<std::mutex> lock(client_->mutex);
    client_->inverted = !client_->inverted;
    return Call("invert-targets", true);
  }

  bool MuteTarget(EsTarget type, const std::string& path) override {
    std::lock_guard<std::mutex> lock(client_->mutex);
    if (!shared_->script.muting_fails) client_->targets.emplace(type, path);
    return Call((type == EsTarget::kPrefix ? "mute-prefix " : "mute-literal ") + path, !shared_->script.muting_fails);
  }

  bool UnmuteTarget(EsTarget type, const std::string& path) override {
    std::lock_guard<std::mutex> lock(client_->mutex);
    client_->targets.erase({type, path});
    return Call((type == EsTarget::kPrefix ? "unmute-prefix " : "unmute-literal ") + path, true);
  }

  bool Subscribe(const std::vector<EsKind>& kinds) override {
    std::lock_guard<std::mutex> lock(client_->mutex);
    const bool refused = shared_->script.subscribe_fails ||
                         (shared_->script.old_system && std::any_of(kinds.begin(), kinds.end(), IsOptional));
    if (!refused)
      for (const EsKind kind : kinds) client_->subscribed[static_cast<size_t>(kind)] = true;
    return Call("subscribe " + std::to_string(kinds.size()), !refused);
  }

  bool Close() override {
    std::lock_guard<std::mutex> lock(client_->mutex);
    client_->closed = true;
    if (!shared_->script.late) client_->handler = nullptr;
    return Call("close", !shared_->script.close_fails);
  }

 private:
  bool Call(std::string call, bool answer) {
    shared_->Called(std::move(call));
    return answer;
  }

  const std::shared_ptr<Shared> shared_;
  const std::shared_ptr<Client> client_;
};

class EsDouble::Api_ final : public EsApi {
 public:
  explicit Api_(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  std::unique_ptr<EsConnection> Connect(EsHandler handler, EsResult& result) override {
    shared_->Called("connect");
    auto client = std::make_shared<Client>();
    client->handler = std::move(handler);
    {
      std::lock_guard<std::mutex> lock(shared_->mutex);
      const size_t index = shared_->clients.size() + failed_;
      result = index < shared_->script.connect.size() ? shared_->script.connect[index] : EsResult::kSuccess;
      if (result != EsResult::kSuccess) {
        failed_++;
        return nullptr;
      }
      shared_->clients.push_back(client);
    }
    return std::make_unique<Connection>(shared_, client);
  }

 private:
  const std::shared_ptr<Shared> shared_;
  size_t failed_ = 0;
};

EsDouble::EsDouble(EsScript script) : shared_(std::make_shared<Shared>(std::move(script))) {}

EsDouble::~EsDouble() { Halt(); }

std::unique_ptr<EsApi> EsDouble::Api() { return std::make_unique<Api_>(shared_); }

bool EsDouble::Playing() const { return shared_->playing; }

std::vector<std::string> EsDouble::Calls() const {
  std::lock_guard<std::mutex> lock(shared_->mutex);
  return shared_->calls;
}

void EsDouble::Halt() {
  shared_->halt = true;
  if (player_.joinable()) player_.join();
  shared_->halt = false;
}

void EsDouble::Play(std::shared_ptr<const std::vector<ScriptedMessage>> messages, uint64_t repeat) {
  if (player_.joinable()) player_.join();
  shared_->playing = true;
  player_ = std::thread([shared = shared_, messages = std::move(messages), repeat] {
    std::vector<std::shared_ptr<Client>> clients;
    {
      std::lock_guard<std::mutex> lock(shared->mutex);
      clients = shared->clients;
    }
    for (uint64_t round = 0; round < repeat && !shared->halt; round++) {
      for (const ScriptedMessage& one : *messages) {
        const auto kind = static_cast<size_t>(one.message.kind);
        for (const auto& client : clients) {
          std::lock_guard<std::mutex> lock(client->mutex);
          if (client->handler == nullptr || !client->subscribed[kind]) continue;
          if (client->inverted && HasTarget(one.message.kind) && !Selected(client->targets, one.message)) continue;
          EsMessage message = one.message;
          client->sequence[kind] += one.skip;
          client->global += one.skip;
          message.sequence = client->sequence[kind]++;
          message.global_sequence = client->global++;
          client->handler(message);
        }
      }
    }
    shared->playing = false;
  });
}

}  // namespace launchwarden
