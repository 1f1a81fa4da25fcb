#include "files/open_files.h"

#include <fcntl.h>
#include <libproc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "scan/clocks.h"

namespace launchwarden {

namespace {

// Processes of one path, and descriptors of one of them, that are looked at.
constexpr size_t kMostProcesses = 256;
constexpr size_t kMostFiles = 4'096;
// <sys/file.h> of the kernel: what `fi_openflags` has of a file that may be written.
constexpr uint32_t kWriteFlag = 0x2;

std::vector<int> Pids(const std::string& path) {
  std::vector<int> pids(kMostProcesses);
  // Who only waits for events of it (Spotlight, we ourselves) is no holder.
  const int bytes = proc_listpidspath(PROC_ALL_PIDS, 0, path.c_str(), PROC_LISTPIDSPATH_EXCLUDE_EVTONLY, pids.data(),
                                      static_cast<int>(pids.size() * sizeof(int)));
  pids.resize(bytes <= 0 ? 0 : std::min(static_cast<size_t>(bytes) / sizeof(int), pids.size()));
  const int self = getpid();
  pids.erase(std::remove_if(pids.begin(), pids.end(), [&](int pid) { return pid <= 0 || pid == self; }), pids.end());
  std::sort(pids.rbegin(), pids.rend());
  pids.erase(std::unique(pids.begin(), pids.end()), pids.end());
  return pids;
}

// Whether one of the process's descriptors of this file may write it.
bool Writes(int pid, const struct stat& wanted) {
  std::vector<proc_fdinfo> files(64);
  for (;;) {
    const int bytes = proc_pidinfo(pid, PROC_PIDLISTFDS, 0, files.data(), static_cast<int>(files.size() * sizeof(proc_fdinfo)));
    if (bytes <= 0) return false;
    const size_t count = std::min(static_cast<size_t>(bytes) / sizeof(proc_fdinfo), files.size());
    if (count == files.size() && files.size() < kMostFiles) {
      files.resize(files.size() * 4);
      continue;
    }
    files.resize(count);
    break;
  }
  for (const proc_fdinfo& file : files) {
    if (file.proc_fdtype != PROX_FDTYPE_VNODE) continue;
    vnode_fdinfo info{};
    if (proc_pidfdinfo(pid, file.proc_fd, PROC_PIDFDVNODEINFO, &info, sizeof info) < static_cast<int>(sizeof info)) continue;
    const vinfo_stat& found = info.pvi.vi_stat;
    if (found.vst_ino == wanted.st_ino && found.vst_dev == static_cast<uint32_t>(wanted.st_dev) &&
        (info.pfi.fi_openflags & kWriteFlag) != 0)
      return true;
  }
  return false;
}

void Add(std::vector<Holder>& holders, size_t path, int pid, Holder::How how) {
  for (const Holder& one : holders)
    if (one.path == path && one.pid == pid) return;
  Holder holder{path, pid, how, {}, 0};
  char executable[PROC_PIDPATHINFO_MAXSIZE];
  const int length = proc_pidpath(pid, executable, sizeof executable);
  if (length > 0) holder.executable.assign(executable, std::min(static_cast<size_t>(length), sizeof executable));
  proc_bsdinfo info{};
  if (proc_pidinfo(pid, PROC_PIDTBSDINFO, 0, &info, sizeof info) == static_cast<int>(sizeof info)) holder.uid = info.pbi_uid;
  holders.push_back(std::move(holder));
}

}  // namespace

bool FindHolders(const std::vector<std::string>& paths, int64_t until_us, std::vector<Holder>& holders) {
  for (size_t index = 0; index < paths.size(); index++) {
    if (SteadyUs() > until_us) return false;
    struct stat file {};
    if (lstat(paths[index].c_str(), &file) == 0)
      for (const int pid : Pids(paths[index]))
        Add(holders, index, pid, Writes(pid, file) ? Holder::How::kWrite : Holder::How::kRead);
    if (SteadyUs() > until_us) return false;
    for (const int pid : Pids(FolderOf(paths[index]))) Add(holders, index, pid, Holder::How::kFolder);
  }
  return true;
}

}  // namespace launchwarden
