#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <queue>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "core/channel.h"
#include "scan/hint_trust.h"
#include "scan/pause.h"
#include "scan/process_reader.h"

namespace launchwarden {

struct ScannerOptions {
  // Longest time between two looks, microseconds; stretched while looking costs more than `cpu_share` of one core.
  int64_t period_us = 4'500;
  // The same after a second without a birth: what a wake-up costs is nearly all that an idle machine pays.
  int64_t quiet_period_us = 6'000;
  // The most, also while the system's hints of births have proven themselves and one of them would come first.
  int64_t longest_period_us = 20'000;
  double cpu_share = 0.10;
  // How often everything is listed, whatever the gate says.
  int64_t list_every_us = 2'000'000;
  // How long a fork may take to its exec before it is reported as a fork.
  int64_t fork_after_us = 20'000;
};

struct ScannerCounters {
  std::atomic<uint64_t> looks{0}, lists{0}, glances{0}, reads{0}, starts{0}, forks{0};
  // Found by the full list and not by the gate; lived too short to show their program; found dead.
  std::atomic<uint64_t> late{0}, vanished{0}, found_dead{0};
  // Looks that the system's own word of a fork or exec brought about; births of which it said nothing; its failures.
  std::atomic<uint64_t> hints{0}, hint_misses{0}, hint_errors{0};
  std::atomic<bool> hints_trusted{false};
  std::atomic<int64_t> period_us{0};
  std::atomic<double> cpu_share{0};
};

// The operating system, as the scanner needs it.
struct System {
  std::unique_ptr<ProcessReader> reader;
  std::unique_ptr<Pause> pause;
};

inline System ThisSystem() { return {MakeProcessReader(), MakePause()}; }

// Looks for new processes on a thread of its own and writes each into the channel once it has executed its program. To
// be made with std::make_shared: the thread keeps what it uses.
class Scanner : public std::enable_shared_from_this<Scanner> {
 public:
  enum RecordKind : uint16_t { kRunning = 1, kExec = 2, kFork = 3, kReady = 4 };
  static constexpr uint32_t kArgumentsUnknown = 1, kArgumentsWithheld = 2, kDead = 4;

  Scanner(System system, std::shared_ptr<Channel> channel, ScannerOptions options);
  ~Scanner();

  // Empty when the thread runs, else why it does not.
  std::string Start();
  // Ends the thread after a last look. Whoever made a read of his memory or files hang would hang us as well: such a
  // thread is left to itself after a while, and false returned. May be called more than once, from the thread that
  // called Start.
  bool Stop();

  // Makes the thread take a look now, from any thread; the channel is woken when that look is complete, whatever it
  // found. One that comes while a look is under way is answered by the next.
  void Hurry();

  // Looks at the full rate for so long, whether or not processes are born; the next look is now. From any thread.
  void Attend(int64_t microseconds);

  // Every process start that a look up to this time (microseconds since 1970) could show is in the channel. It is stored
  // before the channel is woken for what the look found.
  int64_t CompleteThrough() const { return complete_us_.load(std::memory_order_acquire); }
  const ScannerCounters& counters() const { return counters_; }

 private:
  struct Known {
    uint64_t start = 0;
    uint64_t image_stamp = 0;
    int64_t born_us = 0;       // steady time of the first look that showed it
    int64_t last_look_us = 0;  // wall time of the last look that showed the present state
    uint32_t generation = 0;   // of the last full list
    bool other = false;
    int64_t loading_us = 0;  // steady time at which an exec without arguments was first seen
    int loading_looks = 0;   // at how many looks
    bool incomplete = false;  // reported while its image was not
    int64_t check_us = 0;    // when the next check is due; of its checks, only that one counts
    bool waiting = false;    // forked, not yet execed (or not completely), not yet reported
  };
  struct Unseen {
    int pid;
    int tries;
    int64_t due_us;       // steady time of the next try
    int64_t last_try_us;  // wall time of the last one
  };
  struct Check {
    int64_t due_us;
    int pid;
    uint64_t start;
    bool operator<(const Check& other) const { return due_us > other.due_us; }
  };

  void Run();
  void Snapshot();
  void Look();
  void FindBirths();
  void ListAll();
  bool Consider(int pid, int64_t not_before_us, bool late);
  void Recheck(const Check& check);
  void Emit(RecordKind kind, const ProcessFacts& facts, int64_t not_before_us);
  void FlushIfDue();
  void EmitWaitingParent(int pid);
  bool IsLoading(const ProcessFacts& facts, Known& known) const;
  void Schedule(int pid, Known& known);
  void AdaptPeriod(int64_t now_us);
  bool Sleep();

  const std::unique_ptr<ProcessReader> reader_;
  const std::unique_ptr<Pause> pause_;
  const std::shared_ptr<Channel> channel_;
  const ScannerOptions options_;
  ScannerCounters counters_;
  std::thread thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> hurried_{false};
  std::mutex mutex_;
  std::condition_variable ended_signal_;
  bool ended_ = false;
  std::atomic<int64_t> complete_us_{0};
  std::atomic<int64_t> attend_until_us_{0};  // steady time

  // Below: the scanner's thread alone.
  std::unordered_map<int, Known> known_;
  std::vector<Unseen> unseen_;
  std::priority_queue<Check> checks_;
  std::vector<int> pids_;
  std::vector<int> watched_now_;  // in this look; their children up to now were not to be told
  Told told_;
  HintTrust trust_;
  Record record_{0};
  int64_t look_us_ = 0;  // wall and steady time of the present look's start, wall time of the last one's
  int64_t last_look_us_ = 0;
  int64_t steady_us_ = 0;
  int64_t flushed_us_ = 0;  // steady time of the last flush within a look, or of the look's start
  bool answer_ = false;     // somebody waits for the end of the next look
  int64_t last_birth_us_ = 0;
  int64_t waiting_check_us_ = 0;  // when the last check of a process that is still to exec is due
  bool fruitless_ = false;        // the last look followed a hint and found nothing
  int64_t next_list_us_ = 0;
  int64_t period_us_;
  int64_t late_us_ = 0;  // by how much wake-ups came late of late
  int64_t measured_from_us_ = 0;
  int64_t measured_cpu_us_ = 0;
  uint32_t generation_ = 0;
};

}  // namespace launchwarden
