#include "scan/pause.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <ctime>

namespace launchwarden {

namespace {

// One system call a wait. A condition variable of glibc needs two when the time runs out, and a wait that runs out every
// few milliseconds is nearly all that an idle scanner costs.
class FutexPause final : public Pause {
 public:
  void Wait(int64_t until_us, Told&) override {
    timespec until{};
    until.tv_sec = static_cast<time_t>(until_us / 1'000'000);
    until.tv_nsec = static_cast<long>(until_us % 1'000'000 * 1'000);
    while (interrupted_.exchange(0, std::memory_order_acq_rel) == 0) {
      if (syscall(SYS_futex, &interrupted_, FUTEX_WAIT_BITSET_PRIVATE, 0, &until, nullptr, FUTEX_BITSET_MATCH_ANY) == 0)
        continue;
      if (errno != EAGAIN && errno != EINTR) return;
    }
  }

  void Interrupt() override {
    interrupted_.store(1, std::memory_order_release);
    syscall(SYS_futex, &interrupted_, FUTEX_WAKE_PRIVATE, INT_MAX);
  }

 private:
  // The kernel reads it as a plain number.
  static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t) && std::atomic<uint32_t>::is_always_lock_free);
  std::atomic<uint32_t> interrupted_{0};
};

}  // namespace

std::unique_ptr<Pause> MakePause() { return std::make_unique<FutexPause>(); }

}  // namespace launchwarden
