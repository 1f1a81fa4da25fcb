#include "double/fs_double.h"

#include <algorithm>
#include <mutex>
#include <thread>
#include <utility>

namespace launchwarden {

struct FsDouble::Shared {
  explicit Shared(FsScript given) : script(std::move(given)) {}

  void Called(std::string call) {
    std::lock_guard<std::mutex> lock(mutex);
    calls.push_back(std::move(call));
  }

  const FsScript script;
  mutable std::mutex mutex;
  std::vector<std::string> calls;
  FsHandler handler;
  bool open = false;
  uint64_t newest = 0;
};

class FsDouble::Stream_ final : public FsStream {
 public:
  explicit Stream_(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  ~Stream_() override { Close(); }

  bool Start() override {
    shared_->Called("start");
    std::lock_guard<std::mutex> lock(shared_->mutex);
    shared_->open = !shared_->script.start_fails;
    return shared_->open;
  }

  uint64_t Flush() override {
    shared_->Called("flush");
    std::lock_guard<std::mutex> lock(shared_->mutex);
    return shared_->newest;
  }

  void Close() override {
    if (closed_) return;
    closed_ = true;
    shared_->Called("close");
    std::lock_guard<std::mutex> lock(shared_->mutex);
    shared_->open = false;
  }

 private:
  const std::shared_ptr<Shared> shared_;
  bool closed_ = false;
};

class FsDouble::Api_ final : public FsApi {
 public:
  explicit Api_(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  std::unique_ptr<FsStream> Open(const std::vector<std::string>& paths, uint64_t since, FsHandler handler) override {
    std::string call = "open ";
    for (const std::string& path : paths) call += (&path == &paths.front() ? "" : ",") + path;
    shared_->Called(call + " since " + (since == kSinceNow ? "now" : std::to_string(since)));
    if (shared_->script.open_fails) return nullptr;
    std::lock_guard<std::mutex> lock(shared_->mutex);
    shared_->handler = std::move(handler);
    return std::make_unique<Stream_>(shared_);
  }

  std::string History(const std::string&) override { return shared_->script.history; }

  uint64_t CurrentId() override {
    std::lock_guard<std::mutex> lock(shared_->mutex);
    return std::max(shared_->newest, shared_->script.current_id);
  }

 private:
  const std::shared_ptr<Shared> shared_;
};

FsDouble::FsDouble(FsScript script) : shared_(std::make_shared<Shared>(std::move(script))) {}

std::unique_ptr<FsApi> FsDouble::Api() { return std::make_unique<Api_>(shared_); }

void FsDouble::Deliver(const std::vector<ScriptedFsEvent>& events) {
  std::thread([&events, shared = shared_] {
    for (const ScriptedFsEvent& scripted : events) {
      FsHandler handler;
      {
        std::lock_guard<std::mutex> lock(shared->mutex);
        if (shared->open || shared->script.late) handler = shared->handler;
        shared->newest = std::max(shared->newest, scripted.id);
      }
      FsEvent event;
      event.path = scripted.path;
      event.flags = scripted.flags;
      event.id = scripted.id;
      if (handler) handler(event);
    }
  }).join();
}

std::vector<std::string> FsDouble::Calls() const {
  std::lock_guard<std::mutex> lock(shared_->mutex);
  return shared_->calls;
}

}  // namespace launchwarden
