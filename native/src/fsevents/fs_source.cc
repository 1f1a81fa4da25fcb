#include "fsevents/fs_source.h"

#include <utility>

#include "fsevents/fs_filter.h"

namespace launchwarden {

namespace {

// A path of the system is shorter (PATH_MAX is 1,024); a longer one is not to be believed.
constexpr size_t kLongestPath = 4'096;

}  // namespace

// Shared with the handler: one that is called late finds it still there, and stopped.
struct FsSource::Shared {
  explicit Shared(std::shared_ptr<Channel> to) : channel(std::move(to)) {}
  const std::shared_ptr<Channel> channel;
  std::atomic<bool> stopped{false};
  FsCounters counters;
  // Used by the handler alone.
  std::unique_ptr<FsFilter> filter;
  Record record{0};

  void Receive(const FsEvent& event) {
    if (stopped.load(std::memory_order_acquire)) {
      counters.after_stop++;
      return;
    }
    counters.received++;
    if ((event.flags & kFsRescan) != 0) counters.rescans++;
    if ((event.flags & kFsLost) != 0) counters.lost++;
    std::string_view path = event.path;
    uint32_t flags = event.flags;
    if (path.empty() || path.front() != '/' || path.size() > kLongestPath) {
      // Something happened, and nobody can say where.
      counters.odd_paths++;
      path = "/";
      flags |= kFsMustScanSubDirs;
    }
    // Loss has no place: it passes whatever its path is.
    if ((flags & (kFsLost | kFsHistoryDone)) == 0 && !filter->Passes(path)) {
      counters.filtered++;
      return;
    }
    record.Clear(kRecord);
    record.Number(flags);
    record.String(std::to_string(event.id));
    record.String(path);
    if (channel->Push(record)) counters.queued++;
  }
};

FsSource::FsSource(std::unique_ptr<FsApi> api, std::shared_ptr<Channel> channel)
    : api_(std::move(api)), shared_(std::make_shared<Shared>(std::move(channel))) {}

FsSource::~FsSource() { Stop(); }

const FsCounters& FsSource::counters() const { return shared_->counters; }

std::string FsSource::Start(const FsPlan& plan) {
  if (api_ == nullptr) return "this system has no FSEvents";
  shared_->filter = std::make_unique<FsFilter>(plan.patterns);
  stream_ = api_->Open(plan.paths, plan.since, [shared = shared_](const FsEvent& event) { shared->Receive(event); });
  if (stream_ == nullptr) return "FSEventStreamCreate failed";
  if (stream_->Start()) return "";
  Stop();
  return "FSEventStreamStart failed";
}

void FsSource::Stop() {
  shared_->stopped.store(true, std::memory_order_release);
  if (stream_ != nullptr) stream_->Close();
  stream_.reset();
}

uint64_t FsSource::Flush() { return stream_ == nullptr ? 0 : stream_->Flush(); }

uint64_t FsSource::CurrentId() { return api_ == nullptr ? 0 : api_->CurrentId(); }

std::string FsSource::History(const std::string& path) { return api_ == nullptr ? "" : api_->History(path); }

}  // namespace launchwarden
