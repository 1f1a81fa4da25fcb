#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/arguments.h"

namespace launchwarden {

// What a single cheap read says about a process.
struct ProcessGlance {
  int ppid = 0;
  // Start in the platform's own units (ticks since boot on Linux, microseconds since 1970 on macOS): with the pid, the
  // identity of a process on one boot.
  uint64_t start = 0;
  // Changes when the process executes another program in place; 0 while the program is being loaded, and when it may
  // not be read.
  uint64_t image_stamp = 0;
  // False between fork and exec, when a process still shows its parent's program.
  bool execed = false;
  // Ended, and not yet collected by its parent: nothing but its short name is left.
  bool dead = false;
};

struct ProcessFacts : ProcessGlance {
  int pid = 0;
  int pgid = 0;
  int sid = 0;
  int64_t start_us = 0;  // since 1970
  uint32_t uid = 0, euid = 0, gid = 0, egid = 0;
  std::string executable;  // real path; empty when it cannot be read
  std::string short_name;  // the kernel's name, cut to 15 or 31 bytes
  std::string directory;   // working directory; empty when it cannot be read
  Arguments arguments;
  bool arguments_known = false;
  // There are more of them than this system gives out: what it gave is not what they are.
  bool arguments_withheld = false;
};

enum class Seen {
  kGone,     // no such process (any more, or yet)
  kOther,    // a thread, or a process of the kernel's own
  kProcess,
};

// The operating system, as the scanner needs it. One thread uses it.
class ProcessReader {
 public:
  virtual ~ProcessReader() = default;

  // Empty when this machine can be read, else why not.
  virtual std::string Open() = 0;
  // Adds the pids that may have been given out since the last call; false when only a full list can tell.
  virtual bool Births(std::vector<int>& pids) = 0;
  // Whether each of them was a process at that moment: one that cannot be read then ended too soon, and is a loss.
  virtual bool BirthsAreProcesses() const { return false; }
  // All pids, in any order. False when the list cannot be had.
  virtual bool List(std::vector<int>& pids) = 0;
  virtual Seen Glance(int pid, ProcessGlance& glance) = 0;
  // All parts are of the same image, or `kGone`: whoever execs meanwhile is read again.
  virtual Seen Read(int pid, ProcessFacts& facts) = 0;
};

std::unique_ptr<ProcessReader> MakeProcessReader();

// Asks for more punctual wake-ups of the calling thread. Failing to get them is no error.
void RaiseThreadPriority();

}  // namespace launchwarden
