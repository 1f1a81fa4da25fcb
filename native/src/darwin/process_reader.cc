#include "scan/process_reader.h"

#include <libproc.h>
#include <pthread.h>
#include <sys/proc.h>
#include <sys/proc_info.h>
#include <sys/sysctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <string_view>

namespace launchwarden {

namespace {

constexpr size_t kFirstPids = 2'048, kSparePids = 64;
// Pids end at 99,999 (PID_MAX in XNU): a list that fills more than this is none.
constexpr size_t kMostPids = 1 << 18;
// The path given to exec is followed by NULs up to a multiple of this (exec_extract_strings in XNU, 64-bit programs).
constexpr size_t kPathAlignment = 8;
// proc_pidinfo: also those who have ended and were not yet collected (XNU's proc_pidinfo, `findzomb`).
constexpr uint64_t kAlsoDead = 1;

// PROC_PIDUNIQIDENTIFIERINFO of XNU's proc_info_private.h: of any process, without any right.
constexpr int kUniqueIdentifiers = 17;
struct UniqueIdentifiers {
  uint8_t image[16];
  uint64_t process;
  uint64_t parent;
  uint32_t version;  // a new one at every fork and exec
  uint32_t parent_version;
  uint64_t reserved[2];
};
static_assert(sizeof(UniqueIdentifiers) == 56);

// What the kernel fills, as it lay in SDK 14.2 for both architectures. On another system these are our own headers.
#ifdef __APPLE__
static_assert(sizeof(proc_bsdinfo) == 136 && offsetof(proc_bsdinfo, pbi_status) == 4 &&
              offsetof(proc_bsdinfo, pbi_ppid) == 16 && offsetof(proc_bsdinfo, pbi_uid) == 20 &&
              offsetof(proc_bsdinfo, pbi_ruid) == 28 && offsetof(proc_bsdinfo, pbi_comm) == 48 &&
              offsetof(proc_bsdinfo, pbi_name) == 64 && offsetof(proc_bsdinfo, pbi_pgid) == 100 &&
              offsetof(proc_bsdinfo, pbi_start_tvsec) == 120);
static_assert(sizeof(proc_vnodepathinfo) == 2'352 && offsetof(proc_vnodepathinfo, pvi_cdir.vip_path) == 152);
static_assert(sizeof(kinfo_proc) == 648 && offsetof(kinfo_proc, kp_proc.p_starttime) == 0 &&
              offsetof(kinfo_proc, kp_proc.p_flag) == 32 && offsetof(kinfo_proc, kp_proc.p_stat) == 36 &&
              offsetof(kinfo_proc, kp_proc.p_pid) == 40 && offsetof(kinfo_proc, kp_proc.p_comm) == 243 &&
              offsetof(kinfo_proc, kp_eproc.e_pcred.p_ruid) == 392 && offsetof(kinfo_proc, kp_eproc.e_ucred.cr_uid) == 420 &&
              offsetof(kinfo_proc, kp_eproc.e_ppid) == 560 && offsetof(kinfo_proc, kp_eproc.e_pgid) == 564);
#endif

uint64_t Hash(std::string_view text) {
  uint64_t hash = 14695981039346656037ull;
  for (const char character : text) hash = (hash ^ static_cast<unsigned char>(character)) * 1099511628211ull;
  return hash == 0 ? 1 : hash;
}

// libproc and sysctl, as documented in Apple's headers and the sources of XNU. Unproven: compiled and linked against a
// macOS SDK and run over a scripted kernel on another system, and never run on a Mac.
class LibProc final : public ProcessReader {
 public:
  std::string Open() override {
    int maximum = 0;
    size_t size = sizeof maximum;
    int name[] = {CTL_KERN, KERN_ARGMAX};
    if (sysctl(name, 2, &maximum, &size, nullptr, 0) != 0 || maximum <= 0) maximum = 1 << 20;
    // A smaller buffer would get the end of the area, and the arguments would be lost.
    area_size_ = static_cast<size_t>(maximum);
    // Not cleared: nearly all of it is never touched.
    area_.reset(new char[area_size_]);
    std::vector<int> pids;
    return List(pids) && !pids.empty() ? std::string() : std::string("proc_listallpids: ") + std::strerror(errno);
  }

  // The kernel tells no newest pid; the list itself is the gate. It is a copy of numbers, in the same order as long as
  // nothing was born or ended.
  bool Births(std::vector<int>& pids) override {
    if (!Fetch()) return false;
    if (current_ == previous_) return true;
    sorted_ = current_;
    std::sort(sorted_.begin(), sorted_.end());
    std::set_difference(sorted_.begin(), sorted_.end(), known_.begin(), known_.end(), std::back_inserter(pids));
    known_.swap(sorted_);
    previous_.swap(current_);
    return true;
  }

  bool BirthsAreProcesses() const override { return true; }

  bool List(std::vector<int>& pids) override {
    if (!Fetch()) return false;
    for (const int pid : current_)
      if (pid > 0) pids.push_back(pid);
    return true;
  }

  Seen Glance(int pid, ProcessGlance& glance) override {
    ProcessFacts facts;
    const Seen seen = Basics(pid, facts);
    if (seen != Seen::kProcess) return seen;
    Stamp(pid, facts);
    glance = facts;
    return seen;
  }

  Seen Read(int pid, ProcessFacts& facts) override {
    for (int attempt = 0; attempt < 3; attempt++) {
      facts = {};
      const Seen seen = Basics(pid, facts);
      if (seen != Seen::kProcess) return seen;
      Stamp(pid, facts);
      if (!facts.dead) {
        // The arguments first: they are gone soonest, and the path of a folder on a hung volume is waited for.
        ReadArguments(pid, facts);
        if (facts.executable.empty()) ReadExecutable(pid, facts);
        ReadDirectory(pid, facts);
      }
      ProcessFacts after;
      if (Basics(pid, after) != Seen::kProcess) return Seen::kProcess;
      Stamp(pid, after);
      if (after.dead || (after.start == facts.start && after.image_stamp == facts.image_stamp &&
                         after.execed == facts.execed)) {
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
  bool Fetch() {
    while (capacity_ <= kMostPids) {
      if (current_.size() < capacity_) current_.resize(capacity_);
      const int count = proc_listallpids(current_.data(), static_cast<int>(capacity_ * sizeof(int)));
      // libproc says 0 when the call fails, and we at least are there.
      if (count <= 0) return false;
      // A full buffer may have been too small.
      if (static_cast<size_t>(count) < capacity_) {
        current_.resize(static_cast<size_t>(count));
        return true;
      }
      const int needed = proc_listallpids(nullptr, 0);
      capacity_ = std::max(capacity_ * 2, static_cast<size_t>(std::max(needed, 0)) + kSparePids);
    }
    capacity_ = kFirstPids;
    current_.clear();
    return false;
  }

  Seen Basics(int pid, ProcessFacts& facts) {
    if (pid <= 0) return Seen::kOther;
    facts.pid = pid;
    proc_bsdinfo info{};
    if (proc_pidinfo(pid, PROC_PIDTBSDINFO, kAlsoDead, &info, sizeof info) == static_cast<int>(sizeof info)) {
      facts.ppid = static_cast<int>(info.pbi_ppid);
      facts.pgid = static_cast<int>(info.pbi_pgid);
      facts.start_us = static_cast<int64_t>(info.pbi_start_tvsec * 1'000'000 + info.pbi_start_tvusec);
      facts.start = static_cast<uint64_t>(facts.start_us);
      facts.uid = info.pbi_ruid;
      facts.euid = info.pbi_uid;
      facts.gid = info.pbi_rgid;
      facts.egid = info.pbi_gid;
      facts.execed = (info.pbi_flags & PROC_FLAG_EXEC) != 0;
      facts.dead = info.pbi_status == SZOMB;
      const bool named = info.pbi_name[0] != 0;
      facts.short_name = named ? Bounded(info.pbi_name, sizeof info.pbi_name) : Bounded(info.pbi_comm, sizeof info.pbi_comm);
    } else if (errno == EPERM) {
      // Somebody else's process, and we are not root: what ps(1) shows to everybody. proc_bsdshortinfo has no start time.
      kinfo_proc info{};
      size_t size = sizeof info;
      int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, pid};
      if (sysctl(name, 4, &info, &size, nullptr, 0) != 0 || size != sizeof info || info.kp_proc.p_pid != pid)
        return Seen::kGone;
      facts.ppid = info.kp_eproc.e_ppid;
      facts.pgid = info.kp_eproc.e_pgid;
      const timeval& start = info.kp_proc.p_starttime;
      facts.start_us = static_cast<int64_t>(start.tv_sec) * 1'000'000 + start.tv_usec;
      facts.start = static_cast<uint64_t>(facts.start_us);
      facts.uid = info.kp_eproc.e_pcred.p_ruid;
      facts.euid = info.kp_eproc.e_ucred.cr_uid;
      facts.gid = info.kp_eproc.e_pcred.p_rgid;
      // XNU keeps the effective group as the first one.
      facts.egid = info.kp_eproc.e_ucred.cr_groups[0];
      facts.execed = (info.kp_proc.p_flag & P_EXEC) != 0;
      facts.dead = info.kp_proc.p_stat == SZOMB;
      facts.short_name = Bounded(info.kp_proc.p_comm, sizeof info.kp_proc.p_comm);
    } else {
      return Seen::kGone;
    }
    facts.sid = std::max(getsid(pid), 0);
    return Seen::kProcess;
  }

  // The version is new with every exec. A system that does not tell it any more is asked for the path, by which two
  // programs in the same place cannot be told apart; a path that cannot be had (the file was removed) is no stamp at all.
  void Stamp(int pid, ProcessFacts& facts) {
    if (facts.dead) return;
    UniqueIdentifiers identifiers{};
    if (proc_pidinfo(pid, kUniqueIdentifiers, 0, &identifiers, sizeof identifiers) == static_cast<int>(sizeof identifiers)) {
      facts.image_stamp = uint64_t{identifiers.version} + 1;
      return;
    }
    ReadExecutable(pid, facts);
    if (!facts.executable.empty()) facts.image_stamp = Hash(facts.executable);
  }

  void ReadExecutable(int pid, ProcessFacts& facts) {
    const int length = proc_pidpath(pid, path_, sizeof path_);
    if (length > 0) facts.executable.assign(path_, std::min(static_cast<size_t>(length), sizeof path_));
  }

  static std::string Bounded(const char* text, size_t size) { return std::string(text, strnlen(text, size)); }

  static void ReadDirectory(int pid, ProcessFacts& facts) {
    proc_vnodepathinfo info{};
    if (proc_pidinfo(pid, PROC_PIDVNODEPATHINFO, 0, &info, sizeof info) != static_cast<int>(sizeof info)) return;
    facts.directory = Bounded(info.pvi_cdir.vip_path, sizeof info.pvi_cdir.vip_path);
  }

  // int argc; the path given to exec; NULs; argc arguments, each with its NUL; then the environment.
  void ReadArguments(int pid, ProcessFacts& facts) {
    int name[] = {CTL_KERN, KERN_PROCARGS2, pid};
    size_t size = area_size_;
    if (sysctl(name, 3, area_.get(), &size, nullptr, 0) != 0) return;
    int count = 0;
    if (size <= sizeof count || size > area_size_) return;
    // The kernel gives the end of an area that does not fit, with the right count in front of it (sysctl_procargsx in
    // XNU): one that fills the buffer may be such an end.
    if (size == area_size_) {
      facts.arguments_withheld = true;
      return;
    }
    std::memcpy(&count, area_.get(), sizeof count);
    std::string_view text(area_.get() + sizeof count, size - sizeof count);
    const size_t path_end = text.find('\0');
    if (count < 0 || path_end == std::string_view::npos) return;
    // Not the next character that is none: the first argument may be empty, and would take all others with it.
    const size_t first_not = std::min(text.find_first_not_of('\0', path_end), text.size());
    const size_t aligned = (path_end + kPathAlignment) / kPathAlignment * kPathAlignment;
    text.remove_prefix(std::min(aligned, first_not));
    // Empty arguments are real: they are counted, not skipped. The environment follows.
    size_t end = 0;
    for (int index = 0; index < count && end < text.size(); index++) {
      const size_t next = text.find('\0', end);
      end = next == std::string_view::npos ? text.size() : next + 1;
    }
    facts.arguments_known = true;
    facts.arguments.FromText(text.substr(0, end));
  }

  std::vector<int> current_, previous_, known_, sorted_;
  size_t capacity_ = kFirstPids;
  std::unique_ptr<char[]> area_;
  size_t area_size_ = 0;
  char path_[PROC_PIDPATHINFO_MAXSIZE];
};

}  // namespace

std::unique_ptr<ProcessReader> MakeProcessReader() { return std::make_unique<LibProc>(); }

void RaiseThreadPriority() {
  // Without it timers are coalesced, and looks of a few milliseconds come late.
  pthread_set_qos_class_self_np(QOS_CLASS_USER_INTERACTIVE, 0);
}

}  // namespace launchwarden
