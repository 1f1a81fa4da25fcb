#include "kernel.h"

#include <libproc.h>
#include <sys/event.h>
#include <sys/proc.h>
#include <sys/sysctl.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <set>

namespace scripted {

namespace {

std::mutex mutex;
std::condition_variable changed;
Kernel kernel;
std::set<int> watched;
std::map<int, uint32_t> told;
bool triggered = false;

void Before(const char* call, int pid) {
  std::function<void(const char*, int)> before;
  {
    std::lock_guard<std::mutex> lock(mutex);
    before = kernel.before;
  }
  if (before) before(call, pid);
}

int Fail(int code) {
  errno = code;
  return -1;
}

// Null when no call finds it.
const Process* Find(int pid) {
  const auto found = kernel.processes.find(pid);
  return found == kernel.processes.end() || found->second.exiting ? nullptr : &found->second;
}

template <size_t size>
void Put(char (&to)[size], const std::string& text) {
  std::memset(to, 0, size);
  std::memcpy(to, text.data(), std::min(text.size(), size - 1));
}

}  // namespace

void With(const std::function<void(Kernel&)>& change) {
  std::lock_guard<std::mutex> lock(mutex);
  change(kernel);
}

void Reset() {
  std::lock_guard<std::mutex> lock(mutex);
  kernel = {};
  watched.clear();
  told.clear();
  triggered = false;
}

void Tell(int pid, uint32_t notes) {
  std::lock_guard<std::mutex> lock(mutex);
  // Several of one kind become one event until it is taken.
  if (watched.count(pid) != 0) told[pid] |= notes;
  if ((notes & NOTE_EXIT) != 0) watched.erase(pid);
  changed.notify_all();
}

int Watched() {
  std::lock_guard<std::mutex> lock(mutex);
  return static_cast<int>(watched.size());
}

std::string Area(const Process& process) {
  if (!process.area.empty()) return process.area;
  const int count = static_cast<int>(process.arguments.size());
  std::string area(reinterpret_cast<const char*>(&count), sizeof count);
  area.append(process.path).push_back(0);
  while ((area.size() - sizeof count) % 8 != 0) area.push_back(0);
  for (const auto* list : {&process.arguments, &process.environment})
    for (const std::string& one : *list) area.append(one).push_back(0);
  return area;
}

}  // namespace scripted

using namespace scripted;

extern "C" {

// libproc says 0, not -1, when the call fails; without a buffer, a number that is enough.
int proc_listallpids(void* buffer, int size) {
  std::lock_guard<std::mutex> lock(mutex);
  if (kernel.failing_lists > 0) {
    kernel.failing_lists--;
    errno = ENOMEM;
    return 0;
  }
  if (buffer == nullptr) return static_cast<int>(kernel.processes.size()) + 20;
  if (kernel.endless_list) {
    const size_t room = static_cast<size_t>(size) / sizeof(int);
    for (size_t index = 0; index < room; index++) static_cast<int*>(buffer)[index] = static_cast<int>(index) + 1;
    return static_cast<int>(room);
  }
  std::vector<int> pids;
  for (const auto& [pid, process] : kernel.processes) pids.push_back(pid);
  if (kernel.reversed) std::reverse(pids.begin(), pids.end());
  const size_t count = std::min(pids.size(), static_cast<size_t>(size) / sizeof(int));
  std::memcpy(buffer, pids.data(), count * sizeof(int));
  return static_cast<int>(count);
}

int proc_pidinfo(int pid, int flavor, uint64_t argument, void* buffer, int size) {
  Before(flavor == PROC_PIDTBSDINFO ? "info" : flavor == PROC_PIDVNODEPATHINFO ? "folder" : flavor == PROC_PIDLISTFDS ? "descriptors" : "version", pid);
  std::lock_guard<std::mutex> lock(mutex);
  const Process* found = Find(pid);
  // A zombie is found only when it is asked for.
  if (found == nullptr || (found->zombie && (flavor != PROC_PIDTBSDINFO || argument == 0))) {
    errno = ESRCH;
    return 0;
  }
  const Process& process = *found;
  switch (flavor) {
    case PROC_PIDTBSDINFO: {
      if (process.denied) {
        errno = EPERM;
        return 0;
      }
      proc_bsdinfo info{};
      info.pbi_flags = process.execed ? PROC_FLAG_EXEC : 0;
      info.pbi_status = process.zombie ? SZOMB : 2;
      info.pbi_pid = static_cast<uint32_t>(pid);
      info.pbi_ppid = static_cast<uint32_t>(process.ppid);
      info.pbi_pgid = static_cast<uint32_t>(process.group);
      info.pbi_ruid = process.uid;
      info.pbi_uid = process.euid;
      info.pbi_rgid = process.gid;
      info.pbi_gid = process.egid;
      Put(info.pbi_comm, process.name);
      Put(info.pbi_name, process.name);
      info.pbi_start_tvsec = process.start_s;
      info.pbi_start_tvusec = process.start_us;
      if (static_cast<size_t>(size) < sizeof info) return 0;
      std::memcpy(buffer, &info, sizeof info);
      return sizeof info;
    }
    case PROC_PIDLISTFDS: {
      std::vector<proc_fdinfo> files;
      // Not every descriptor is a file's.
      files.push_back({0, 2});
      for (size_t index = 0; index < process.open.size(); index++)
        files.push_back({static_cast<int32_t>(index) + 1, PROX_FDTYPE_VNODE});
      const size_t count = std::min(files.size(), static_cast<size_t>(size) / sizeof(proc_fdinfo));
      std::memcpy(buffer, files.data(), count * sizeof(proc_fdinfo));
      return static_cast<int>(count * sizeof(proc_fdinfo));
    }
    case PROC_PIDVNODEPATHINFO: {
      if (process.denied) {
        errno = EPERM;
        return 0;
      }
      auto* info = static_cast<proc_vnodepathinfo*>(buffer);
      *info = {};
      Put(info->pvi_cdir.vip_path, process.folder);
      return sizeof *info;
    }
    case 17: {  // PROC_PIDUNIQIDENTIFIERINFO
      if (kernel.no_versions) {
        errno = EINVAL;
        return 0;
      }
      constexpr int kSize = 56, kVersionAt = 32;
      if (size < kSize) return 0;
      std::memset(buffer, 0, kSize);
      std::memcpy(static_cast<char*>(buffer) + kVersionAt, &process.version, sizeof process.version);
      return kSize;
    }
  }
  errno = EINVAL;
  return 0;
}

int proc_pidpath(int pid, void* buffer, uint32_t size) {
  Before("path", pid);
  std::lock_guard<std::mutex> lock(mutex);
  const Process* found = Find(pid);
  if (found == nullptr || found->zombie || found->path.empty()) {
    errno = ESRCH;
    return 0;
  }
  const std::string& path = found->path;
  const size_t length = std::min<size_t>(path.size(), size - 1);
  std::memcpy(buffer, path.data(), length);
  static_cast<char*>(buffer)[length] = 0;
  return static_cast<int>(length);
}

// As libproc: processes with a descriptor of the path, or that work in it; so many as fit into the buffer.
int proc_listpidspath(uint32_t type, uint32_t, const char* path, uint32_t flags, void* buffer, int size) {
  std::lock_guard<std::mutex> lock(mutex);
  if (type != PROC_ALL_PIDS) return Fail(EINVAL);
  std::vector<int> pids;
  for (const auto& [pid, process] : kernel.processes) {
    if (process.zombie || process.denied) continue;
    const bool holds = std::any_of(process.open.begin(), process.open.end(), [&](const OpenFile& file) {
      const bool only_events = (flags & PROC_LISTPIDSPATH_EXCLUDE_EVTONLY) != 0 && file.flags == 0x8000;
      return file.path == path && !only_events;
    });
    if (holds || process.folder == path) pids.push_back(pid);
  }
  const size_t count = std::min(pids.size(), static_cast<size_t>(size) / sizeof(int));
  std::memcpy(buffer, pids.data(), count * sizeof(int));
  return static_cast<int>(count * sizeof(int));
}

int proc_pidfdinfo(int pid, int file, int flavor, void* buffer, int size) {
  Before("descriptor", pid);
  std::lock_guard<std::mutex> lock(mutex);
  const Process* found = Find(pid);
  if (found == nullptr || flavor != PROC_PIDFDVNODEINFO || file < 1 || static_cast<size_t>(file) > found->open.size() ||
      static_cast<size_t>(size) < sizeof(vnode_fdinfo)) {
    errno = EBADF;
    return 0;
  }
  const OpenFile& open = found->open[static_cast<size_t>(file) - 1];
  vnode_fdinfo info{};
  info.pfi.fi_openflags = open.flags;
  info.pvi.vi_stat.vst_dev = open.device;
  info.pvi.vi_stat.vst_ino = open.inode;
  std::memcpy(buffer, &info, sizeof info);
  return sizeof info;
}

int sysctl(int* name, unsigned names, void* old, size_t* size, void*, size_t) {
  if (names == 2 && name[1] == KERN_ARGMAX) {
    std::lock_guard<std::mutex> lock(mutex);
    *static_cast<int*>(old) = kernel.argument_max;
    return 0;
  }
  const int pid = name[names - 1];
  Before(name[1] == KERN_PROCARGS2 ? "arguments" : "kinfo", pid);
  std::lock_guard<std::mutex> lock(mutex);
  const Process* found = Find(pid);
  if (name[1] == KERN_PROCARGS2) {
    if (found == nullptr || found->zombie || found->arguments_denied) return Fail(EINVAL);
    const std::string area = Area(*found);
    // Of one that does not fit the end is given, with the right count in front.
    const size_t given = std::min(area.size(), *size);
    std::memcpy(old, area.data(), std::min<size_t>(sizeof(int), given));
    if (given > sizeof(int))
      std::memcpy(static_cast<char*>(old) + sizeof(int), area.data() + area.size() - (given - sizeof(int)), given - sizeof(int));
    *size = given;
    return 0;
  }
  if (found == nullptr) {
    *size = 0;
    return 0;
  }
  const Process& process = *found;
  kinfo_proc info{};
  info.kp_proc.p_pid = pid;
  info.kp_proc.p_flag = process.execed ? P_EXEC : 0;
  info.kp_proc.p_stat = process.zombie ? SZOMB : 2;
  info.kp_proc.p_starttime.tv_sec = static_cast<time_t>(process.start_s);
  info.kp_proc.p_starttime.tv_usec = static_cast<suseconds_t>(process.start_us);
  Put(info.kp_proc.p_comm, process.name);
  info.kp_eproc.e_ppid = process.ppid;
  info.kp_eproc.e_pgid = process.group;
  info.kp_eproc.e_pcred = {process.uid, process.gid};
  info.kp_eproc.e_ucred.cr_uid = process.euid;
  info.kp_eproc.e_ucred.cr_groups[0] = process.egid;
  std::memcpy(old, &info, sizeof info);
  *size = sizeof info;
  return 0;
}

int kqueue() {
  std::lock_guard<std::mutex> lock(mutex);
  return kernel.no_kqueue ? Fail(EMFILE) : 1'000'000;
}

int kevent(int, const struct kevent* changes, int change_count, struct kevent* events, int event_count,
           const timespec* wait) {
  std::unique_lock<std::mutex> lock(mutex);
  for (int index = 0; index < change_count; index++) {
    const struct kevent& change = changes[index];
    if (change.filter == EVFILT_USER) {
      triggered = triggered || (change.fflags & NOTE_TRIGGER) != 0;
      changed.notify_all();
      continue;
    }
    const int pid = static_cast<int>(change.ident);
    if ((change.flags & EV_DELETE) != 0) {
      if (watched.erase(pid) == 0) return Fail(ENOENT);
      continue;
    }
    const Process* found = Find(pid);
    if (found == nullptr || found->zombie) return Fail(ESRCH);
    watched.insert(pid);
  }
  if (event_count == 0) return 0;
  if (kernel.broken_kqueue) return Fail(EBADF);
  if (kernel.interrupted_waits > 0) {
    kernel.interrupted_waits--;
    return Fail(EINTR);
  }
  const auto left = std::chrono::seconds(wait->tv_sec) + std::chrono::nanoseconds(wait->tv_nsec);
  changed.wait_for(lock, left, [] { return triggered || !told.empty(); });
  int count = 0;
  if (triggered) {
    triggered = false;
    events[count++] = {1, EVFILT_USER, 0, NOTE_TRIGGER, 0, nullptr};
  }
  for (auto one = told.begin(); one != told.end() && count < event_count; one = told.erase(one)) {
    const uint16_t end = (one->second & NOTE_EXIT) != 0 ? EV_EOF : 0;
    events[count++] = {static_cast<uintptr_t>(one->first), EVFILT_PROC, end, one->second, 0, nullptr};
  }
  return count;
}

}  // extern "C"
