#include "scan/scanner.h"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include "scan/clocks.h"

namespace launchwarden {

namespace {

// A pid is given out a moment before its process can be seen; on a busy machine the parent may lose the processor just
// then. So it is looked for at once, and then after waits that double: 320 ms in all at the default period.
constexpr int kTriesInARow = 4;
constexpr int kTriesUntilForgotten = 10;
// An exec shows its image a moment before its arguments; without them for so long, and at so many looks, it has none: on
// a busy machine it may not have had the processor meanwhile.
constexpr int64_t kLoadingUs = 50'000;
constexpr int kLoadingLooks = 12;
// A process of age t is looked at again after t / 16: a shell that executes another program in its own place is caught
// soon after its start, when that is likely, and everything else costs next to nothing.
constexpr int64_t kAgeShare = 16;
constexpr int64_t kLongestCheckUs = 30'000'000;
// What has not execed at the first look, or had begun so shortly before it, may be on its way to an exec. Whatever else runs
// then counts as settled: at a boot, when a thousand processes are young, looking at each by its age would cost as much as
// all else.
constexpr int64_t kJustBegunUs = 50'000;
// No look may take so long that it misses what is born meanwhile.
constexpr int kMostChecks = 64;
// An image without a stamp is still being loaded, or not ours to read; after so many looks it is the latter.
constexpr int64_t kUnstampedLooks = 3;
// So long a look may keep what it found to itself.
constexpr int64_t kFlushEveryUs = 2'000;
// Children of a process that was not watched yet are looked for again so often, while others turn up.
constexpr int kMostRounds = 3;
// No hint is acted on sooner after a look than a quarter of the period; nor is the thread deaf for longer than this.
constexpr int64_t kLongestDeafUs = 4'000;
constexpr std::chrono::seconds kLongestStop(2);
constexpr int64_t kQuietAfterUs = 1'000'000;
constexpr size_t kMaxTracked = 1 << 18;

}  // namespace

Scanner::Scanner(System system, std::shared_ptr<Channel> channel, ScannerOptions options)
    : reader_(std::move(system.reader)),
      pause_(std::move(system.pause)),
      channel_(std::move(channel)),
      options_(options),
      period_us_(options.period_us) {
  counters_.period_us = period_us_;
}

// The thread holds a reference: it has ended, or never ran, or this is its own last act.
Scanner::~Scanner() {
  if (thread_.joinable()) thread_.detach();
}

std::string Scanner::Start() {
  std::string trouble = reader_->Open();
  if (!trouble.empty()) return trouble;
  try {
    thread_ = std::thread([self = shared_from_this()] { self->Run(); });
  } catch (const std::system_error& error) {
    return std::string("no thread: ") + error.what();
  }
  return {};
}

bool Scanner::Stop() {
  stopping_ = true;
  pause_->Interrupt();
  std::unique_lock<std::mutex> lock(mutex_);
  if (!thread_.joinable()) return ended_;
  const bool ended = ended_signal_.wait_for(lock, kLongestStop, [this] { return ended_; });
  lock.unlock();
  if (ended) thread_.join();
  else thread_.detach();
  return ended;
}

void Scanner::Hurry() {
  hurried_ = true;
  pause_->Interrupt();
}

void Scanner::Attend(int64_t microseconds) {
  const int64_t now_us = SteadyUs();
  const int64_t before_us = attend_until_us_.exchange(now_us + microseconds, std::memory_order_relaxed);
  // Whoever attends already looks soon enough.
  if (before_us > now_us) return;
  pause_->Interrupt();
}

void Scanner::Run() {
  RaiseThreadPriority();
  Snapshot();
  measured_from_us_ = SteadyUs();
  measured_cpu_us_ = ClockUs(CLOCK_THREAD_CPUTIME_ID);
  while (Sleep()) Look();
  Look();
  std::lock_guard<std::mutex> lock(mutex_);
  ended_ = true;
  ended_signal_.notify_all();
}

// True while the scanner shall go on.
bool Scanner::Sleep() {
  // The steady clock: a wall clock that is set must not stop the looks.
  const bool attending = steady_us_ < attend_until_us_.load(std::memory_order_relaxed);
  const bool quiet = !attending && steady_us_ - last_birth_us_ > kQuietAfterUs;
  // Where wake-ups come late, they are asked for that much sooner: what lives for a period is to meet a look.
  const int64_t wait_us = quiet ? std::max(period_us_, options_.quiet_period_us)
                                : period_us_ - std::min(late_us_, period_us_ / 3);
  // From the start of the last look: what a look takes does not stretch the period.
  const int64_t until_us = std::max(steady_us_ + wait_us, SteadyUs() + wait_us / 4);
  // Nobody is being watched on the way to his exec, and nobody can be born unnoticed.
  const bool told_first = !attending && pause_->Tells() && trust_.Earned() && !trust_.Pending() && unseen_.empty() &&
                          waiting_check_us_ <= steady_us_;
  told_.Clear();
  pause_->Wait(told_first ? std::max(until_us, steady_us_ + options_.longest_period_us) : until_us, told_);
  // One that was interrupted counts as punctual.
  late_us_ = std::max(SteadyUs() - until_us, late_us_ - late_us_ / 16);
  if (told_first) late_us_ = 0;
  if (told_.Any()) {
    counters_.hints++;
    // A storm of hints, or hints of nothing, must not cost more than the looks of a shorter period would.
    const int64_t early_us = steady_us_ + (fruitless_ ? wait_us : wait_us / 4) - SteadyUs();
    if (early_us > 0) std::this_thread::sleep_for(std::chrono::microseconds(std::min(early_us, kLongestDeafUs)));
  }
  answer_ = hurried_.exchange(false);
  return !stopping_;
}

void Scanner::Snapshot() {
  flushed_us_ = steady_us_ = SteadyUs();
  last_look_us_ = WallUs();
  pids_.clear();
  // Sets the gate, so that whoever is born while we list is looked at afterwards.
  reader_->Births(pids_);
  pids_.clear();
  reader_->List(pids_);
  ProcessFacts facts;
  for (const int pid : pids_) {
    facts = {};
    const Seen seen = reader_->Read(pid, facts);
    if (seen == Seen::kGone) continue;
    Known& known = known_[pid];
    known.start = facts.start;
    known.image_stamp = facts.image_stamp;
    known.other = seen == Seen::kOther;
    known.last_look_us = WallUs();
    if (known.other) continue;
    const int64_t age_us = std::max<int64_t>(WallUs() - facts.start_us, 0);
    const bool just_begun = !facts.execed || age_us < kJustBegunUs;
    known.born_us = steady_us_ - (just_begun ? age_us : kLongestCheckUs * kAgeShare);
    pause_->Watch(pid);
    // What runs already may be more than the channel holds at once, and must not be lost.
    while (!channel_->HasRoom()) {
      channel_->Flush();
      if (stopping_) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    Emit(kRunning, facts, facts.start_us);
    if (just_begun) {
      Schedule(pid, known);
      continue;
    }
    // Spread out, so that they do not all fall due in one look.
    known.check_us = steady_us_ + int64_t{pid} * 7'919'000 % kLongestCheckUs;
    checks_.push({known.check_us, pid, known.start});
  }
  next_list_us_ = SteadyUs() + options_.list_every_us;
  Look();
  record_.Clear(kReady);
  channel_->Push(record_);
  channel_->Flush();
}

void Scanner::Look() {
  counters_.looks++;
  flushed_us_ = steady_us_ = SteadyUs();
  look_us_ = WallUs();

  const uint64_t reads = counters_.reads;
  trust_.Told(told_.forked, steady_us_);

  watched_now_.clear();
  size_t watched = 0;
  for (int round = 0; round < kMostRounds; round++) {
    FindBirths();
    // Whoever is watched only now may have had a child before.
    if (watched_now_.size() == watched) break;
    watched = watched_now_.size();
  }

  for (const int pid : told_.execed) {
    const auto found = known_.find(pid);
    if (found != known_.end() && !found->second.other) Recheck({found->second.check_us, pid, found->second.start});
  }
  for (int count = 0; count < kMostChecks && !checks_.empty() && checks_.top().due_us <= steady_us_; count++) {
    const Check check = checks_.top();
    checks_.pop();
    Recheck(check);
  }

  if (steady_us_ >= next_list_us_) ListAll();
  fruitless_ = told_.Any() && last_birth_us_ != steady_us_ && counters_.reads == reads;
  counters_.hint_misses = trust_.misses();
  counters_.hint_errors = pause_->Errors();
  counters_.hints_trusted = pause_->Tells() && trust_.Earned();
  last_look_us_ = look_us_;
  complete_us_.store(WallUs(), std::memory_order_release);
  // Now, and not at the first record: whoever is woken finds the look complete.
  channel_->Flush(std::exchange(answer_, false));
  AdaptPeriod(steady_us_);
}

void Scanner::FindBirths() {
  pids_.clear();
  if (!reader_->Births(pids_)) next_list_us_ = steady_us_;
  if (!pids_.empty()) last_birth_us_ = steady_us_;
  for (const int pid : pids_) unseen_.push_back({pid, 0, steady_us_, last_look_us_});

  size_t kept = 0;
  for (Unseen& one : unseen_) {
    if (one.due_us <= steady_us_) {
      if (Consider(one.pid, one.last_try_us, false)) continue;
      one.last_try_us = look_us_;
      if (++one.tries >= kTriesUntilForgotten) {
        // On its way out it can be listed and tells nothing: it is read once it is dead, if it stays so for long enough.
        if (reader_->BirthsAreProcesses()) counters_.vanished++;
        continue;
      }
      if (one.tries >= kTriesInARow) one.due_us = steady_us_ + (period_us_ << (one.tries - kTriesInARow + 1));
    }
    unseen_[kept++] = one;
  }
  unseen_.resize(kept);
}

void Scanner::ListAll() {
  counters_.lists++;
  next_list_us_ = steady_us_ + options_.list_every_us;
  pids_.clear();
  if (!reader_->List(pids_)) return;
  generation_++;
  const std::vector<int> listed = pids_;
  for (const int pid : listed) {
    auto found = known_.find(pid);
    if (found == known_.end()) {
      if (!Consider(pid, last_look_us_, true)) continue;
      found = known_.find(pid);
      if (found == known_.end()) continue;
    }
    found->second.generation = generation_;
  }
  for (auto entry = known_.begin(); entry != known_.end();) {
    if (entry->second.generation == generation_ || entry->second.born_us == steady_us_) ++entry;
    else entry = known_.erase(entry);
  }
}

// False when there is no such process yet: worth another try.
bool Scanner::Consider(int pid, int64_t not_before_us, bool late) {
  ProcessGlance glance;
  counters_.glances++;
  const Seen seen = reader_->Glance(pid, glance);
  if (seen == Seen::kGone) return false;
  const auto found = known_.find(pid);
  if (found != known_.end() && found->second.start == glance.start) return true;
  if (known_.size() >= kMaxTracked) known_.clear();

  Known known;
  known.start = glance.start;
  known.image_stamp = glance.image_stamp;
  known.born_us = steady_us_;
  known.last_look_us = WallUs();
  known.generation = generation_;
  known.other = seen == Seen::kOther;
  if (known.other) {
    // Threads come only through the gate, once each; the kernel's processes come with every list.
    if (late) known_[pid] = known;
    return true;
  }
  if (late) counters_.late++;
  if (pause_->Tells()) {
    if (std::find(watched_now_.begin(), watched_now_.end(), glance.ppid) == watched_now_.end())
      trust_.Born(glance.ppid, steady_us_);
    if (!glance.dead && pause_->Watch(pid)) watched_now_.push_back(pid);
  }
  known.waiting = !glance.dead && (!glance.execed || glance.image_stamp == 0);
  if (!known.waiting) {
    ProcessFacts facts;
    if (reader_->Read(pid, facts) != Seen::kProcess) {
      counters_.vanished++;
      return true;
    }
    known.start = facts.start;
    known.image_stamp = facts.image_stamp;
    if (facts.dead) counters_.found_dead++;
    if (!IsLoading(facts, known)) {
      EmitWaitingParent(facts.ppid);
      Emit(facts.execed ? kExec : kFork, facts, not_before_us);
    }
  }
  Schedule(pid, known_[pid] = known);
  return true;
}

void Scanner::Recheck(const Check& check) {
  auto found = known_.find(check.pid);
  if (found == known_.end() || found->second.start != check.start || found->second.check_us != check.due_us) return;
  ProcessGlance glance;
  counters_.glances++;
  const Seen seen = reader_->Glance(check.pid, glance);
  if (seen != Seen::kProcess || glance.start != check.start) {
    if (found->second.waiting) counters_.vanished++;
    const int64_t not_before_us = found->second.last_look_us;
    known_.erase(found);
    if (seen == Seen::kProcess) Consider(check.pid, not_before_us, false);
    return;
  }
  Known& known = found->second;
  const int64_t age_us = steady_us_ - known.born_us;
  const bool execed_now =
      known.waiting && glance.execed && (glance.image_stamp != 0 || age_us >= kUnstampedLooks * period_us_);
  const bool in_place = !known.waiting && (known.image_stamp != 0 || known.incomplete) && glance.image_stamp != 0 &&
                        known.image_stamp != glance.image_stamp;
  const bool overdue = known.waiting && !glance.execed && age_us >= options_.fork_after_us;
  if (!glance.dead && (execed_now || in_place || overdue)) {
    ProcessFacts facts;
    if (reader_->Read(check.pid, facts) != Seen::kProcess) {
      counters_.vanished++;
      known_.erase(found);
      return;
    }
    if (IsLoading(facts, known)) {
      Schedule(check.pid, known);
      return;
    }
    const int64_t not_before_us = known.last_look_us;
    known.waiting = false;
    known.loading_us = 0;
    known.loading_looks = 0;
    known.incomplete = known.incomplete && facts.image_stamp == 0;
    known.image_stamp = facts.image_stamp;
    EmitWaitingParent(facts.ppid);
    Emit(facts.execed || in_place ? kExec : kFork, facts, not_before_us);
  } else if (known.image_stamp == 0) {
    known.image_stamp = glance.image_stamp;
  }
  known.last_look_us = WallUs();
  if (!glance.dead) Schedule(check.pid, known);
}

// True while an exec is under way: the process then waits to be looked at again.
bool Scanner::IsLoading(const ProcessFacts& facts, Known& known) const {
  if (facts.arguments_known || facts.arguments_withheld || facts.dead || !facts.execed) return false;
  if (known.loading_us == 0) known.loading_us = steady_us_;
  known.waiting = ++known.loading_looks < kLoadingLooks || steady_us_ - known.loading_us < kLoadingUs;
  // Reported without arguments; should its image be complete later, it is reported again.
  known.incomplete = !known.waiting && facts.image_stamp == 0;
  return known.waiting;
}

void Scanner::Schedule(int pid, Known& known) {
  const int64_t age = std::max<int64_t>(steady_us_ - known.born_us, 0);
  const int64_t wait = std::min(std::max(age / kAgeShare, 2 * period_us_), kLongestCheckUs);
  known.check_us = steady_us_ + (known.waiting ? period_us_ / 2 : wait);
  if (known.waiting) waiting_check_us_ = known.check_us;
  checks_.push({known.check_us, pid, known.start});
}

// A subshell that never execs is still its children's parent: it is reported before them.
void Scanner::EmitWaitingParent(int pid) {
  const auto found = known_.find(pid);
  if (found == known_.end() || !found->second.waiting) return;
  ProcessFacts facts;
  found->second.waiting = false;
  if (reader_->Read(pid, facts) != Seen::kProcess || facts.start != found->second.start) return;
  found->second.image_stamp = facts.image_stamp;
  Emit(facts.execed ? kExec : kFork, facts, found->second.last_look_us);
}

void Scanner::Emit(RecordKind kind, const ProcessFacts& facts, int64_t not_before_us) {
  counters_.reads++;
  if (kind == kExec) counters_.starts++;
  if (kind == kFork) counters_.forks++;
  const int64_t seen_us = WallUs();
  // A wall clock that was set back must not turn the interval around.
  const int64_t earliest_us = std::min(std::max(not_before_us, facts.start_us), seen_us);
  const uint32_t flags = (facts.arguments_known ? 0u : kArgumentsUnknown) |
                         (facts.arguments_withheld ? kArgumentsWithheld : 0u) | (facts.dead ? kDead : 0u);
  record_.Clear(kind);
  for (const double number :
       {static_cast<double>(facts.pid), static_cast<double>(facts.ppid), static_cast<double>(facts.pgid),
        static_cast<double>(facts.sid), static_cast<double>(facts.start_us), static_cast<double>(earliest_us),
        static_cast<double>(seen_us), static_cast<double>(facts.uid), static_cast<double>(facts.euid),
        static_cast<double>(facts.gid), static_cast<double>(facts.egid), static_cast<double>(flags),
        static_cast<double>(facts.arguments.count), static_cast<double>(facts.arguments.front),
        static_cast<double>(facts.arguments.shortened)})
    record_.Number(number);
  record_.String(std::to_string(facts.start));
  record_.String(std::to_string(facts.image_stamp));
  record_.String(facts.executable);
  record_.String(facts.short_name);
  record_.String(facts.directory);
  for (const std::string& argument : facts.arguments.kept) record_.String(argument);
  channel_->Push(record_);
  FlushIfDue();
}

// A long look (the first one, a storm of births) does not keep everything back until its end.
void Scanner::FlushIfDue() {
  const int64_t now_us = SteadyUs();
  if (now_us - flushed_us_ < kFlushEveryUs) return;
  flushed_us_ = now_us;
  channel_->Flush();
}

void Scanner::AdaptPeriod(int64_t now_us) {
  const int64_t passed = now_us - measured_from_us_;
  if (measured_from_us_ == 0 || passed < 1'000'000) return;
  const int64_t cpu = ClockUs(CLOCK_THREAD_CPUTIME_ID);
  const double share = static_cast<double>(cpu - measured_cpu_us_) / static_cast<double>(passed);
  measured_from_us_ = now_us;
  measured_cpu_us_ = cpu;
  if (share > options_.cpu_share) period_us_ = std::min(period_us_ * 3 / 2, options_.longest_period_us);
  else if (share < options_.cpu_share / 2) period_us_ = std::max(period_us_ * 2 / 3, options_.period_us);
  counters_.cpu_share = share;
  counters_.period_us = period_us_;
}

}  // namespace launchwarden
