#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace launchwarden {

// What the system told while the scanner's thread waited.
struct Told {
  std::vector<int> forked;  // pids of those who forked, each once a wait; the child is somewhere among the new pids
  std::vector<int> execed;  // pids of those who executed a program

  bool Any() const { return !forked.empty() || !execed.empty(); }
  void Clear() {
    forked.clear();
    execed.clear();
  }
};

// Where the scanner's thread waits between two looks. All calls but Interrupt on that thread.
class Pause {
 public:
  virtual ~Pause() = default;

  // Returns at `until_us` (CLOCK_MONOTONIC, microseconds) or sooner: after an interruption, or with something in `told`.
  virtual void Wait(int64_t until_us, Told& told) = 0;
  // Ends the wait, from any thread; when nobody waits, the next one.
  virtual void Interrupt() = 0;

  // Whether this system tells of births at all, now.
  virtual bool Tells() const { return false; }
  // From now on this process's forks and programs are to be told. False when it is gone or there is no room.
  virtual bool Watch(int) { return false; }
  // Watches that were refused, for other reasons than the end of the process, and failures of the wait itself.
  virtual uint64_t Errors() const { return 0; }
};

std::unique_ptr<Pause> MakePause();

}  // namespace launchwarden
