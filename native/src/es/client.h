#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/channel.h"
#include "es/es_api.h"

namespace launchwarden {

struct EsCounters {
  std::atomic<uint64_t> received{0}, queued{0}, filtered{0}, denied{0}, after_stop{0};
  // Lost before they came to us, by the two kinds of counters that messages carry.
  std::atomic<uint64_t> kernel_dropped{0};
  std::array<std::atomic<uint64_t>, kEsKinds> kernel_dropped_by_kind{};
  std::atomic<uint64_t> muting_failed{0};
  // Of types that nobody knows here; the newest version beyond those that are known, 0 for none; kinds that this system
  // is too old to have.
  std::atomic<uint64_t> unknown{0};
  std::atomic<uint32_t> newer_version{0};
  std::atomic<uint64_t> kinds_refused{0};
  std::atomic<int64_t> last_message_us{0};
};

struct EsPlan {
  // What the process client and the file client ask for; a list that is empty opens no client.
  std::vector<EsKind> process_kinds;
  std::vector<EsKind> file_kinds;
  // The only places whose file events are wanted. Prefixes end with a slash.
  std::set<std::pair<EsTarget, std::string>> targets;
};

// Two clients of EndpointSecurity: one for processes, and one for files whose muting by target path is inverted, since
// inversion would also take away the executions of every program that is not listed. All calls on one thread.
class EsClient {
 public:
  static constexpr uint16_t kRecordBase = 16;  // a record's kind is this plus its EsKind

  EsClient(std::unique_ptr<EsApi> api, std::shared_ptr<Channel> channel);
  ~EsClient();

  EsResult Start(const EsPlan& plan);
  // Replaces the targets of the running file client. False when one of them was refused; the others are in force.
  bool SetTargets(std::set<std::pair<EsTarget, std::string>> targets);
  // False when a client could not be closed. May be called more than once.
  bool Stop();

  const EsCounters& counters() const;
  // How often each type came that is not known here; of the first few.
  std::map<uint32_t, uint64_t> UnknownTypes() const;

 private:
  class Receiver;
  EsResult Open(const std::vector<EsKind>& kinds, bool files, std::unique_ptr<EsConnection>& connection);

  std::unique_ptr<EsApi> api_;
  // Shared with the handlers: one that is called late finds it still there, and closed.
  struct Shared;
  std::shared_ptr<Shared> shared_;
  std::unique_ptr<EsConnection> processes_, files_;
  std::set<std::pair<EsTarget, std::string>> targets_;
};

}  // namespace launchwarden
