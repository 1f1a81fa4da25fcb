#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/channel.h"
#include "fsevents/fs_api.h"

namespace launchwarden {

struct FsPlan {
  // What the stream is opened on, once and for all.
  std::vector<std::string> paths;
  // What of it is wanted (FsFilter).
  std::vector<std::string> patterns;
  // Events after this id come again; FsApi::kSinceNow for none.
  uint64_t since = FsApi::kSinceNow;
};

struct FsCounters {
  std::atomic<uint64_t> received{0}, queued{0}, filtered{0}, after_stop{0}, rescans{0}, lost{0}, odd_paths{0};
};

// One stream of file events for the whole life of the agent: it is never rebuilt for a folder that comes or goes, so that
// nothing is lost meanwhile. What the channel has no room for is counted there, and is for JavaScript to make good.
class FsSource {
 public:
  // A record: numbers are the flags, texts the id in decimal (it may exceed 2^53) and the path.
  static constexpr uint16_t kRecord = 48;

  FsSource(std::unique_ptr<FsApi> api, std::shared_ptr<Channel> channel);
  ~FsSource();

  // Empty when it runs, else why it does not.
  std::string Start(const FsPlan& plan);
  void Stop();
  uint64_t Flush();
  uint64_t CurrentId();
  // FsApi::History.
  std::string History(const std::string& path);

  const FsCounters& counters() const;

 private:
  struct Shared;
  std::unique_ptr<FsApi> api_;
  std::shared_ptr<Shared> shared_;
  std::unique_ptr<FsStream> stream_;
};

}  // namespace launchwarden
