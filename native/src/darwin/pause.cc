#include "scan/pause.h"

#include <fcntl.h>
#include <sys/event.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <unordered_set>

#include "scan/clocks.h"
#include "scan/plain_pause.h"

namespace launchwarden {

namespace {

// Processes that are watched at most; each costs the kernel a small structure.
constexpr size_t kMostWatched = 16 * 1024;
constexpr int kEvents = 64;
// Batches that are taken after one wait; what is left then ends the next wait at once.
constexpr int kMostBatches = 16;
constexpr uintptr_t kInterrupt = 1;

// EVFILT_PROC, as sys/event.h and the sources of XNU (filt_procattach, proc_knote) describe it: NOTE_FORK, NOTE_EXEC and
// NOTE_EXIT of any process need no right; the event of a fork comes to the parent's watchers after the child is listed and
// does not name it; several of one kind become one event until it is taken; that of the end is the last, and takes the
// watch away. Unproven: run over a scripted kernel, and never on a Mac. HintTrust judges what comes.
class KqueuePause final : public Pause {
 public:
  explicit KqueuePause(int queue) : queue_(queue) {}
  ~KqueuePause() override { close(queue_); }

  bool Open() {
    fcntl(queue_, F_SETFD, FD_CLOEXEC);
    return Change(kInterrupt, EVFILT_USER, EV_ADD | EV_CLEAR, 0);
  }

  void Wait(int64_t until_us, Told& told) override {
    if (broken_) return plain_.Wait(until_us, told);
    bool awake = false;
    while (!awake) {
      const int64_t left_us = until_us - SteadyUs();
      const int count = Take(std::max<int64_t>(left_us, 0), told, awake);
      if (broken_) return plain_.Wait(until_us, told);
      // The ends of processes, which nobody asked for, do not end the wait; nor does a signal.
      if (count == 0 || left_us <= 0) break;
    }
    int count = kEvents;
    for (int batch = 1; batch < kMostBatches && count == kEvents; batch++) count = Take(0, told, awake);
    Unique(told.forked);
    Unique(told.execed);
  }

  void Interrupt() override {
    // Both: which of them waits is known to the other thread alone.
    plain_.Interrupt();
    Change(kInterrupt, EVFILT_USER, 0, NOTE_TRIGGER);
  }

  bool Tells() const override { return !broken_; }
  uint64_t Errors() const override { return errors_; }

  bool Watch(int pid) override {
    if (broken_) return false;
    // One that ended unnoticed and left its number to another: adding again would leave the old one in force.
    if (watched_.erase(pid) != 0) Change(static_cast<uintptr_t>(pid), EVFILT_PROC, EV_DELETE, 0);
    const bool room = watched_.size() < kMostWatched;
    if (room && Change(static_cast<uintptr_t>(pid), EVFILT_PROC, EV_ADD | EV_CLEAR, NOTE_FORK | NOTE_EXEC | NOTE_EXIT)) {
      watched_.insert(pid);
      return true;
    }
    if (!room || errno != ESRCH) errors_++;
    return false;
  }

 private:
  // kevent(2) may be called from several threads; only the interrupt is.
  bool Change(uintptr_t what, int16_t filter, uint16_t flags, uint32_t notes) {
    struct kevent change;
    EV_SET(&change, what, filter, flags, notes, 0, nullptr);
    return kevent(queue_, &change, 1, nullptr, 0, nullptr) == 0;
  }

  // The number of events; 0 when the time ran out, -1 when a signal came first.
  int Take(int64_t wait_us, Told& told, bool& awake) {
    struct kevent events[kEvents];
    timespec wait{};
    wait.tv_sec = static_cast<time_t>(wait_us / 1'000'000);
    wait.tv_nsec = static_cast<long>(wait_us % 1'000'000 * 1'000);
    const int count = kevent(queue_, nullptr, 0, events, kEvents, &wait);
    if (count < 0) {
      broken_ = errno != EINTR;
      if (broken_) errors_++;
      return -1;
    }
    for (int index = 0; index < count; index++) {
      const struct kevent& event = events[index];
      const int pid = static_cast<int>(event.ident);
      if (event.filter == EVFILT_USER) awake = true;
      if (event.filter != EVFILT_PROC) continue;
      if ((event.flags & EV_ERROR) == 0 && (event.fflags & NOTE_FORK) != 0) told.forked.push_back(pid);
      if ((event.flags & EV_ERROR) == 0 && (event.fflags & NOTE_EXEC) != 0) told.execed.push_back(pid);
      if ((event.flags & (EV_ERROR | EV_EOF)) != 0 || (event.fflags & NOTE_EXIT) != 0) watched_.erase(pid);
      awake = awake || told.Any();
    }
    return count;
  }

  static void Unique(std::vector<int>& pids) {
    std::sort(pids.begin(), pids.end());
    pids.erase(std::unique(pids.begin(), pids.end()), pids.end());
  }

  const int queue_;
  bool broken_ = false;
  uint64_t errors_ = 0;
  std::unordered_set<int> watched_;
  PlainPause plain_;
};

}  // namespace

std::unique_ptr<Pause> MakePause() {
  const int queue = kqueue();
  if (queue >= 0) {
    auto pause = std::make_unique<KqueuePause>(queue);
    if (pause->Open()) return pause;
  }
  return std::make_unique<PlainPause>();
}

}  // namespace launchwarden
