#include "es/client.h"

#include <algorithm>
#include <iterator>

#include "core/sequence_gaps.h"
#include "es/pack.h"

namespace launchwarden {

namespace {

constexpr size_t kMostUnknownTypes = 16;

}  // namespace

struct EsClient::Shared {
  explicit Shared(std::shared_ptr<Channel> to) : channel(std::move(to)) {}
  const std::shared_ptr<Channel> channel;
  std::atomic<bool> stopped{false};
  EsCounters counters;
  // Both clients write it.
  std::mutex mutex;
  std::map<uint32_t, uint64_t> unknown_types;

  void CountUnknown(uint32_t type) {
    counters.unknown++;
    std::lock_guard<std::mutex> lock(mutex);
    if (unknown_types.size() < kMostUnknownTypes || unknown_types.count(type) != 0) unknown_types[type]++;
  }
};

// The handler of one client. Called serially on that client's queue; keeps nothing of a message.
class EsClient::Receiver {
 public:
  explicit Receiver(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  void Receive(const EsMessage& message) {
    EsCounters& counters = shared_->counters;
    if (shared_->stopped.load(std::memory_order_acquire)) {
      counters.after_stop++;
      return;
    }
    counters.received++;
    counters.last_message_us = message.time_ns / 1000;
    CountGaps(message, counters);
    if (message.version > kEsNewestVersion) RaiseTo(counters.newer_version, message.version);
    if (message.unknown) {
      shared_->CountUnknown(message.type);
      return;
    }
    if (message.denied) {
      counters.denied++;
      return;
    }
    if (!Wanted(message)) {
      counters.filtered++;
      return;
    }
    PackMessage(message, record_);
    if (shared_->channel->Push(record_)) counters.queued++;
  }

 private:
  void CountGaps(const EsMessage& message, EsCounters& counters) {
    const auto kind = static_cast<size_t>(message.kind);
    uint64_t lost_of_kind = 0;
    // Messages of one type are numbered among themselves; the global number counts those of unknown types too.
    if (message.version >= kEsSinceSequence && !message.unknown) {
      lost_of_kind = kinds_[kind].Next(message.sequence);
      counters.kernel_dropped_by_kind[kind] += lost_of_kind;
    }
    // The global number tells the total; a system too old to have it leaves the sum of the kinds.
    counters.kernel_dropped +=
        message.version >= kEsSinceGlobalSequence ? all_.Next(message.global_sequence) : lost_of_kind;
  }

  static void RaiseTo(std::atomic<uint32_t>& newest, uint32_t version) {
    for (uint32_t known = newest; known < version && !newest.compare_exchange_weak(known, version);) {
    }
  }

  static bool Wanted(const EsMessage& message) {
    if (message.kind == EsKind::kClose)
      return message.modified || (message.version >= kEsSinceMappedWritable && message.mapped_writable);
    return message.kind != EsKind::kCreate || message.created;
  }

  const std::shared_ptr<Shared> shared_;
  Record record_{0};
  SequenceGap all_;
  std::array<SequenceGap, kEsKinds> kinds_;
};

EsClient::EsClient(std::unique_ptr<EsApi> api, std::shared_ptr<Channel> channel)
    : api_(std::move(api)), shared_(std::make_shared<Shared>(std::move(channel))) {}

EsClient::~EsClient() { Stop(); }

const EsCounters& EsClient::counters() const { return shared_->counters; }

std::map<uint32_t, uint64_t> EsClient::UnknownTypes() const {
  std::lock_guard<std::mutex> lock(shared_->mutex);
  return shared_->unknown_types;
}

EsResult EsClient::Start(const EsPlan& plan) {
  targets_ = plan.targets;
  EsResult result = Open(plan.process_kinds, false, processes_);
  if (result == EsResult::kSuccess) result = Open(plan.file_kinds, true, files_);
  if (result != EsResult::kSuccess) Stop();
  return result;
}

EsResult EsClient::Open(const std::vector<EsKind>& kinds, bool files, std::unique_ptr<EsConnection>& connection) {
  if (kinds.empty()) return EsResult::kSuccess;
  const auto receiver = std::make_shared<Receiver>(shared_);
  EsResult result = EsResult::kUnknown;
  auto opened = api_->Connect([receiver](const EsMessage& message) { receiver->Receive(message); }, result);
  if (opened == nullptr) return result == EsResult::kSuccess ? EsResult::kUnknown : result;
  connection = std::move(opened);
  // What this process does is not news to it. Not being able to say so costs events, not correctness.
  if (!connection->MuteSelf()) shared_->counters.muting_failed++;
  if (files) {
    // The default mute set is not cleared by the inversion, so that goes first; subscribing last means no flood.
    if (!connection->ClearTargets() || !connection->InvertTargets()) return EsResult::kMutingFailed;
    for (const auto& [type, path] : targets_)
      if (!connection->MuteTarget(type, path)) shared_->counters.muting_failed++;
  }
  std::vector<EsKind> every_system;
  std::copy_if(kinds.begin(), kinds.end(), std::back_inserter(every_system), [](EsKind kind) { return !IsOptional(kind); });
  if (!every_system.empty() && !connection->Subscribe(every_system)) return EsResult::kSubscribeFailed;
  // Each alone: a system that does not know one refuses it with all that are asked for together.
  for (const EsKind kind : kinds)
    if (IsOptional(kind) && !connection->Subscribe({kind})) shared_->counters.kinds_refused++;
  return EsResult::kSuccess;
}

bool EsClient::SetTargets(std::set<std::pair<EsTarget, std::string>> targets) {
  bool all = true;
  if (files_ != nullptr) {
    // New ones first: at no moment is a place unwatched that stays wanted.
    for (const auto& target : targets)
      if (targets_.count(target) == 0) all = files_->MuteTarget(target.first, target.second) && all;
    for (const auto& target : targets_)
      if (targets.count(target) == 0) all = files_->UnmuteTarget(target.first, target.second) && all;
  }
  if (!all) shared_->counters.muting_failed++;
  targets_ = std::move(targets);
  return all;
}

bool EsClient::Stop() {
  shared_->stopped.store(true, std::memory_order_release);
  bool closed = true;
  for (auto* connection : {&files_, &processes_}) {
    if (*connection == nullptr) continue;
    closed = (*connection)->Close() && closed;
    connection->reset();
  }
  return closed;
}

}  // namespace launchwarden
