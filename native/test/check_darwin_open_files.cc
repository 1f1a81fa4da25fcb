// Who has a file open, over the scripted kernel.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "check.h"
#include "check_darwin.h"
#include "files/open_files.h"
#include "scan/clocks.h"

using namespace launchwarden;
using scripted::Kernel;

namespace {

std::vector<Holder> Find(const std::vector<std::string>& paths, bool whole = true) {
  std::vector<Holder> holders;
  CHECK(FindHolders(paths, whole ? SteadyUs() + 60'000'000 : 0, holders) == whole);
  return holders;
}

const Holder* Of(const std::vector<Holder>& holders, int pid) {
  for (const Holder& one : holders)
    if (one.pid == pid) return &one;
  return nullptr;
}

}  // namespace

void OpenFileChecks() {
  char name[] = "/tmp/launchwarden-open-XXXXXX";
  const int file = mkstemp(name);
  CHECK(file >= 0);
  close(file);
  struct stat facts {};
  CHECK(lstat(name, &facts) == 0);
  const std::string path = name;
  const auto open = [&](uint32_t flags) {
    return scripted::OpenFile{path, flags, facts.st_ino, static_cast<uint32_t>(facts.st_dev)};
  };
  Boot([&](Kernel& kernel) {
    kernel.processes[50] = {.euid = 501, .path = "/bin/cp", .open = {{"/other", 2, 1, 1}, open(2)}};
    kernel.processes[51] = {.path = "/bin/cat", .open = {open(1)}};
    kernel.processes[52] = {.path = "/bin/zsh", .folder = "/tmp"};
    kernel.processes[53] = {.path = "/usr/libexec/mds", .open = {open(0x8000)}};
    kernel.processes[54] = {.denied = true, .open = {open(2)}};
    kernel.processes[getpid()] = {.path = "/self", .open = {open(2)}};
    // One that writes another file and reads this one is no writer of it.
    kernel.processes[55] = {.path = "/bin/tar", .open = {{"/other", 2, facts.st_ino, 999'999}, open(1)}};
    // More descriptors than are read at first.
    std::vector<scripted::OpenFile> many(300, {"/other", 2, 1, 1});
    many.push_back(open(3));
    kernel.processes[56] = {.path = "/bin/many", .open = many};
  });
  const std::vector<Holder> holders = Find({path});
  CHECK(holders.size() == 5);
  CHECK(Of(holders, 50)->how == Holder::How::kWrite && Of(holders, 50)->executable == "/bin/cp" && Of(holders, 50)->uid == 501);
  CHECK(Of(holders, 51)->how == Holder::How::kRead);
  CHECK(Of(holders, 52)->how == Holder::How::kFolder);
  CHECK(Of(holders, 55)->how == Holder::How::kRead);
  CHECK(Of(holders, 56)->how == Holder::How::kWrite);
  CHECK(Of(holders, 53) == nullptr && Of(holders, 54) == nullptr && Of(holders, getpid()) == nullptr);
  // What is gone by now may still have been written by who works in its folder.
  CHECK(unlink(name) == 0);
  const std::vector<Holder> gone = Find({path});
  CHECK(gone.size() == 1 && gone[0].pid == 52);
  Find({path}, false);
}
