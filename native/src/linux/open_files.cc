#include "files/open_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "scan/clocks.h"

namespace launchwarden {

namespace {

// Descriptors of one process that are looked at.
constexpr int kMostFiles = 4'096;

std::string LinkAt(int folder, const char* name) {
  char target[PATH_MAX];
  const ssize_t length = readlinkat(folder, name, target, sizeof target);
  // One that fills the buffer was cut: no path at all is better than a wrong one.
  return length <= 0 || static_cast<size_t>(length) >= sizeof target ? std::string() : std::string(target, static_cast<size_t>(length));
}

// Whether the descriptor was opened for writing: `flags` of /proc/PID/fdinfo/FD, octal (proc(5)).
bool Writes(int process, const char* descriptor) {
  char name[64];
  std::snprintf(name, sizeof name, "fdinfo/%s", descriptor);
  const int file = openat(process, name, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  char text[512];
  const ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  if (length <= 0) return false;
  text[length] = 0;
  const char* flags = std::strstr(text, "flags:");
  if (flags == nullptr) return false;
  const long mode = std::strtol(flags + 6, nullptr, 8) & O_ACCMODE;
  return mode == O_WRONLY || mode == O_RDWR;
}

class Looker {
 public:
  Looker(const std::vector<std::string>& paths, std::vector<Holder>& holders) : paths_(paths), holders_(holders) {
    for (const std::string& path : paths) folders_.push_back(FolderOf(path));
  }

  void Look(int pid) {
    char name[32];
    std::snprintf(name, sizeof name, "/proc/%d", pid);
    const int process = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (process < 0) return;
    first_ = holders_.size();
    const std::string folder = LinkAt(process, "cwd");
    for (size_t index = 0; index < paths_.size(); index++)
      if (folder == folders_[index]) Found(index, pid, Holder::How::kFolder);
    const int files = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* directory = files < 0 ? nullptr : fdopendir(files);
    int left = kMostFiles;
    while (directory != nullptr && left-- > 0) {
      const dirent* entry = readdir(directory);
      if (entry == nullptr) break;
      if (entry->d_name[0] != '.') Compare(process, dirfd(directory), entry->d_name, pid);
    }
    if (directory != nullptr) closedir(directory);
    else if (files >= 0) close(files);
    Describe(process);
    close(process);
  }

 private:
  void Compare(int process, int files, const char* descriptor, int pid) {
    const std::string target = LinkAt(files, descriptor);
    if (target.empty() || target[0] != '/') return;
    for (size_t index = 0; index < paths_.size(); index++) {
      if (target == paths_[index])
        Found(index, pid, Writes(process, descriptor) ? Holder::How::kWrite : Holder::How::kRead);
      else if (target == folders_[index])
        Found(index, pid, Holder::How::kFolder);
    }
  }

  // Of several ways the strongest counts.
  void Found(size_t path, int pid, Holder::How how) {
    for (size_t index = first_; index < holders_.size(); index++) {
      if (holders_[index].path != path) continue;
      holders_[index].how = std::min(holders_[index].how, how);
      return;
    }
    holders_.push_back({path, pid, how, {}, 0});
  }

  void Describe(int process) {
    if (first_ == holders_.size()) return;
    struct stat owner {};
    if (fstat(process, &owner) != 0) owner.st_uid = 0;
    const std::string executable = LinkAt(process, "exe");
    for (size_t index = first_; index < holders_.size(); index++) {
      holders_[index].executable = executable;
      holders_[index].uid = owner.st_uid;
    }
  }

  const std::vector<std::string>& paths_;
  std::vector<std::string> folders_;
  std::vector<Holder>& holders_;
  size_t first_ = 0;
};

}  // namespace

bool FindHolders(const std::vector<std::string>& paths, int64_t until_us, std::vector<Holder>& holders) {
  std::vector<int> pids;
  DIR* proc = opendir("/proc");
  if (proc == nullptr) return false;
  while (const dirent* entry = readdir(proc)) {
    const int pid = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? std::atoi(entry->d_name) : 0;
    if (pid > 0 && pid != getpid()) pids.push_back(pid);
  }
  closedir(proc);
  std::sort(pids.rbegin(), pids.rend());
  Looker looker(paths, holders);
  for (const int pid : pids) {
    if (SteadyUs() > until_us) return false;
    looker.Look(pid);
  }
  return true;
}

}  // namespace launchwarden
