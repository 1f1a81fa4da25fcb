#include "scan/process_reader.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>
#include <utility>

namespace launchwarden {

namespace {

// Bytes of arguments that are read at once, and at most. An exec takes 6 MiB of arguments and environment (_STK_LIM in
// fs/exec.c); a process may move its own area to where there is more.
constexpr size_t kArgumentBytes = 64 * 1024;
constexpr size_t kMostArgumentBytes = 8 * 1024 * 1024;
// More births than this between two looks are found by listing.
constexpr int kMostBirths = 256;
// include/linux/sched.h: "forked but didn't exec", and a thread of the kernel.
constexpr unsigned long kForkNoExec = 0x40, kKernelThread = 0x200000;

// The fields of /proc/PID/stat after the name, counted as in proc(5).
enum StatField { kState = 3, kParent, kGroup, kSession, kFlags = 9, kStartTime = 22, kStartCode = 26, kStartStack = 28, kExitSignal = 38 };

struct Stat {
  char state = 0;
  std::string name;
  unsigned long long field[kExitSignal + 1] = {};
};

bool ParseStat(std::string_view text, Stat& stat) {
  // The name may hold anything, also parentheses and line feeds; nothing behind it can.
  const size_t open = text.find('('), close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close + 2 >= text.size()) return false;
  stat.name.assign(text.substr(open + 1, close - open - 1));
  const char* at = text.data() + close + 2;
  errno = 0;
  stat.state = *at++;
  for (int index = kState + 1; index <= kExitSignal; index++) {
    char* end;
    stat.field[index] = static_cast<unsigned long long>(std::strtoll(at, &end, 10));
    // Addresses do not fit a signed number.
    if (errno == ERANGE) {
      errno = 0;
      stat.field[index] = std::strtoull(at, &end, 10);
    }
    if (end == at) return false;
    at = end;
  }
  return true;
}

class ProcFs final : public ProcessReader {
 public:
  ~ProcFs() override {
    if (load_ >= 0) close(load_);
    if (proc_ >= 0) close(proc_);
  }

  std::string Open() override {
    proc_ = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (proc_ < 0) return std::string("/proc: ") + std::strerror(errno);
    char self[256];
    if (ReadFile("self/stat", self, sizeof self) <= 0) return "/proc is not mounted";
    load_ = openat(proc_, "loadavg", O_RDONLY | O_CLOEXEC);
    return {};
  }

  bool Births(std::vector<int>& pids) override {
    // The last field is the newest pid that was given out in this pid namespace (fs/proc/loadavg.c).
    char text[128];
    const ssize_t length = load_ < 0 ? -1 : pread(load_, text, sizeof text, 0);
    if (length <= 0) return false;
    // By hand and not by the C library: nearly every look ends here, and what it touches has gone from the caches by the
    // next one.
    const auto digit = [](char character) { return character >= '0' && character <= '9'; };
    const char* end = text + length;
    while (end > text && !digit(end[-1])) end--;
    const char* first = end;
    while (first > text && digit(first[-1])) first--;
    int newest = 0;
    if (std::from_chars(first, end, newest).ec != std::errc() || newest <= 0) return false;
    const int before = std::exchange(newest_, newest);
    if (newest == before) return true;
    // Pids wrap around, and start anew above 300.
    if (before == 0 || newest < before || newest - before > kMostBirths) return false;
    for (int pid = before + 1; pid <= newest; pid++) pids.push_back(pid);
    return true;
  }

  bool List(std::vector<int>& pids) override {
    DIR* directory = opendir("/proc");
    if (directory == nullptr) return false;
    while (const dirent* entry = readdir(directory)) {
      const int pid = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? std::atoi(entry->d_name) : 0;
      if (pid > 0) pids.push_back(pid);
    }
    closedir(directory);
    return true;
  }

  Seen Glance(int pid, ProcessGlance& glance) override {
    Stat stat;
    return ReadStat(pid, stat, glance);
  }

  Seen Read(int pid, ProcessFacts& facts) override {
    for (int attempt = 0; attempt < 3; attempt++) {
      facts = {};
      facts.pid = pid;
      Stat stat;
      const Seen seen = ReadStat(pid, stat, facts);
      if (seen != Seen::kProcess) return seen;
      facts.short_name = stat.name;
      facts.pgid = static_cast<int>(stat.field[kGroup]);
      facts.sid = static_cast<int>(stat.field[kSession]);
      facts.start_us = StartUs(facts.start);
      if (!ReadStatus(pid, facts)) return Seen::kGone;
      if (!facts.dead) {
        ReadArguments(pid, facts);
        ReadExecutable(pid, facts);
        facts.directory = ReadLink(pid, "cwd");
      }
      ProcessGlance after;
      Stat again;
      if (ReadStat(pid, again, after) != Seen::kProcess) return Seen::kProcess;
      const bool same = after.start == facts.start && after.image_stamp == facts.image_stamp &&
                        after.execed == facts.execed;
      if (same || after.dead) {
        facts.ppid = after.ppid;
        return Seen::kProcess;
      }
    }
    // It execs faster than it can be read: whose arguments these are is not known.
    facts.arguments = {};
    facts.arguments_known = facts.arguments_withheld = false;
    return Seen::kProcess;
  }

 private:
  const char* Name(int pid, const char* leaf) {
    std::snprintf(name_, sizeof name_, "%d/%s", pid, leaf);
    return name_;
  }

  ssize_t ReadFile(const char* name, char* buffer, size_t size) {
    const int file = openat(proc_, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0) return -1;
    size_t length = 0;
    ssize_t got = 0;
    while (length < size && (got = read(file, buffer + length, size - length)) > 0) length += static_cast<size_t>(got);
    close(file);
    return got < 0 && length == 0 ? -1 : static_cast<ssize_t>(length);
  }

  Seen ReadStat(int pid, Stat& stat, ProcessGlance& glance) {
    char text[1024];
    const ssize_t length = ReadFile(Name(pid, "stat"), text, sizeof text - 1);
    if (length <= 0) return Seen::kGone;
    text[length] = 0;
    if (!ParseStat({text, static_cast<size_t>(length)}, stat)) return Seen::kGone;
    if (stat.state == 'X') return Seen::kGone;
    glance.ppid = static_cast<int>(stat.field[kParent]);
    glance.start = stat.field[kStartTime];
    // Both are drawn anew at every exec; without permission they read 1 and 0.
    const unsigned long long code = stat.field[kStartCode], stack = stat.field[kStartStack];
    glance.image_stamp = stack == 0 ? 0 : stack ^ (code << 12 | code >> 52);
    glance.execed = (stat.field[kFlags] & kForkNoExec) == 0;
    glance.dead = stat.state == 'Z';
    // A thread other than its group's leader has no signal to send at its end.
    if (static_cast<long long>(stat.field[kExitSignal]) == -1 || (stat.field[kFlags] & kKernelThread) != 0)
      return Seen::kOther;
    return Seen::kProcess;
  }

  bool ReadStatus(int pid, ProcessFacts& facts) {
    char text[4096];
    const ssize_t length = ReadFile(Name(pid, "status"), text, sizeof text - 1);
    if (length <= 0) return false;
    text[length] = 0;
    const char* uid = std::strstr(text, "\nUid:");
    const char* gid = std::strstr(text, "\nGid:");
    if (uid == nullptr || gid == nullptr) return false;
    return std::sscanf(uid, "\nUid: %u %u", &facts.uid, &facts.euid) == 2 &&
           std::sscanf(gid, "\nGid: %u %u", &facts.gid, &facts.egid) == 2;
  }

  std::string ReadLink(int pid, const char* leaf) {
    char target[PATH_MAX];
    const ssize_t length = readlinkat(proc_, Name(pid, leaf), target, sizeof target);
    // One that fills the buffer was cut: no path at all is better than a wrong one.
    if (length <= 0 || static_cast<size_t>(length) >= sizeof target) return {};
    return Undeleted(pid, leaf, std::string(target, static_cast<size_t>(length)));
  }

  // The kernel adds " (deleted)" to the path of a removed file; a file may also be named so.
  std::string Undeleted(int pid, const char* leaf, std::string target) {
    constexpr std::string_view mark = " (deleted)";
    if (target.size() <= mark.size() || target.compare(target.size() - mark.size(), mark.size(), mark) != 0) return target;
    struct stat real, literal;
    if (fstatat(proc_, Name(pid, leaf), &real, 0) == 0 && lstat(target.c_str(), &literal) == 0 &&
        real.st_dev == literal.st_dev && real.st_ino == literal.st_ino)
      return target;
    target.resize(target.size() - mark.size());
    return target;
  }

  void ReadExecutable(int pid, ProcessFacts& facts) {
    facts.executable = ReadLink(pid, "exe");
    // What is no path (a memory file says "/memfd:name") is kept; what does not start at the root is none.
    if (!facts.executable.empty() && facts.executable[0] != '/') facts.executable.clear();
  }

  void ReadArguments(int pid, ProcessFacts& facts) {
    if (arguments_.empty()) arguments_.resize(kArgumentBytes);
    const int file = openat(proc_, Name(pid, "cmdline"), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0) return;
    size_t length = 0;
    ssize_t got = 0;
    while ((got = read(file, arguments_.data() + length, arguments_.size() - length)) > 0) {
      length += static_cast<size_t>(got);
      if (length < arguments_.size()) continue;
      if (length >= kMostArgumentBytes) break;
      arguments_.resize(std::min(arguments_.size() * 4, kMostArgumentBytes));
    }
    close(file);
    if (got < 0 && length == 0) return;
    facts.arguments_known = length > 0;
    // Each argument ends with a NUL, the last one too, unless the process has written over its own arguments.
    facts.arguments.FromText({arguments_.data(), length});
    if (arguments_.size() <= kArgumentBytes) return;
    arguments_.resize(kArgumentBytes);
    arguments_.shrink_to_fit();
  }

  int64_t StartUs(uint64_t ticks) {
    timespec wall{}, boot{};
    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    const int64_t booted_us = (wall.tv_sec - boot.tv_sec) * int64_t{1'000'000} + (wall.tv_nsec - boot.tv_nsec) / 1'000;
    // The same process must get the same start every time, so the reading's jitter is kept out.
    if (std::abs(booted_us - booted_us_) > 1'000) booted_us_ = booted_us;
    return booted_us_ + static_cast<int64_t>(ticks) * 1'000'000 / sysconf(_SC_CLK_TCK);
  }

  int proc_ = -1;
  int load_ = -1;
  int newest_ = 0;
  int64_t booted_us_ = 0;
  char name_[64];
  std::vector<char> arguments_;
};

}  // namespace

std::unique_ptr<ProcessReader> MakeProcessReader() { return std::make_unique<ProcFs>(); }

void RaiseThreadPriority() {
  // A look is short and its thread's share bounded: the lowest real-time priority makes it punctual on a busy machine and
  // starves nobody. The right to it comes with root; so does that to a lower nice value, which belongs to the thread.
  sched_param parameter{};
  parameter.sched_priority = 1;
  if (pthread_setschedparam(pthread_self(), SCHED_RR | SCHED_RESET_ON_FORK, &parameter) == 0) return;
  if (setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), -10) != 0) errno = 0;
}

}  // namespace launchwarden
