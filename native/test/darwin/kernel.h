#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

// A scripted kernel under the unchanged macOS sources: processes that a test writes down, and what happens to them between
// two calls. Its calls answer as XNU's sources say (bsd/kern/proc_info.c, kern_sysctl.c, kern_event.c).
namespace scripted {

// A file that a process has open. `flags` as the kernel keeps them: 1 read, 2 write, 0x8000 events alone.
struct OpenFile {
  std::string path;
  uint32_t flags = 1;
  uint64_t inode = 0;
  uint32_t device = 0;
};

struct Process {
  int ppid = 1, group = 0;
  uint32_t uid = 501, euid = 501, gid = 20, egid = 20;
  uint64_t start_s = 1'000, start_us = 5;
  bool execed = true;
  bool zombie = false;
  bool exiting = false;  // listed, and not to be had in any other way: between the start of its exit and the zombie
  bool denied = false;  // PROC_PIDTBSDINFO says EPERM
  std::string path = "/bin/one", name = "one", folder = "/";
  std::vector<std::string> arguments{"one"};
  std::vector<std::string> environment{"SECRET=not an argument"};
  uint32_t version = 7;  // p_idversion: a new one at every exec
  bool arguments_denied = false;
  // The raw area in place of one made of the above.
  std::string area;
  std::vector<OpenFile> open;
};

struct Kernel {
  std::map<int, Process> processes;
  int argument_max = 64 * 1024;
  int failing_lists = 0;   // so many calls of proc_listallpids fail
  bool endless_list = false;  // proc_listallpids fills whatever buffer it gets
  bool no_versions = false;  // PROC_PIDUNIQIDENTIFIERINFO is not told
  // Called before each call that asks about a process, outside of the lock.
  std::function<void(const char* call, int pid)> before;
  bool no_kqueue = false;
  bool broken_kqueue = false;  // kevent fails with EBADF when it waits
  int interrupted_waits = 0;   // so many end with EINTR
  bool reversed = false;       // the list comes in another order each time
};

// Locks the kernel for as long as `change` runs.
void With(const std::function<void(Kernel&)>& change);
void Reset();

// What EVFILT_PROC tells the watchers of a process.
void Tell(int pid, uint32_t notes);
int Watched();

// KERN_PROCARGS2: the number of arguments, the path given to exec, NULs up to a multiple of 8, arguments, environment.
std::string Area(const Process& process);

}  // namespace scripted
