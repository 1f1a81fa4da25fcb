#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace launchwarden {

// Whether the system's hints of births can be relied on. Earned on the machine, and not by what headers say: every birth
// that a look finds must be told as a fork of its parent, before or shortly after. One that is not, and trust has to be
// earned again.
class HintTrust {
 public:
  static constexpr int kNeeded = 64;
  // A child can be listed a moment before its parent's fork is told.
  static constexpr int64_t kGraceUs = 5'000;

  // At the beginning of a look: who was told to have forked since the last one. Steady time.
  void Told(const std::vector<int>& forked, int64_t now_us);
  // A look found a new process.
  void Born(int ppid, int64_t now_us);

  bool Earned() const { return in_a_row_ >= kNeeded; }
  // Some birth may still be told.
  bool Pending() const { return !pending_.empty(); }
  uint64_t misses() const { return misses_; }

 private:
  struct Birth {
    int ppid;
    int64_t due_us;
  };
  // More than this at once is a storm; the rest of it is not judged.
  static constexpr size_t kMostPending = 1'024;

  bool WasTold(int ppid) const;
  void Count();

  std::vector<int> told_;  // sorted
  std::vector<Birth> pending_;
  int in_a_row_ = 0;
  uint64_t misses_ = 0;
};

}  // namespace launchwarden
