#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace launchwarden {

// A process that has one of the files, or the folder it stands in, open.
struct Holder {
  enum class How : uint8_t { kWrite, kRead, kFolder };
  size_t path = 0;
  int pid = 0;
  How how = How::kRead;
  std::string executable;
  uint32_t uid = 0;
};

// Looks through the open files of all processes but our own, the newest first where that is possible. `paths`: absolute,
// free of links. False when `until_us` (MonotonicUs) came before the end.
bool FindHolders(const std::vector<std::string>& paths, int64_t until_us, std::vector<Holder>& holders);

// The folder that a path stands in.
inline std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace launchwarden
