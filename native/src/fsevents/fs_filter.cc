#include "fsevents/fs_filter.h"

namespace launchwarden {

namespace {

char Lower(char one) { return one >= 'A' && one <= 'Z' ? static_cast<char>(one - 'A' + 'a') : one; }

// Beyond ASCII only the file system knows which names are the same (a Kelvin sign is a k): such a name passes.
bool Matches(std::string_view name, std::string_view lower) {
  for (const char one : name)
    if (static_cast<unsigned char>(one) >= 0x80) return true;
  if (name.size() != lower.size()) return false;
  for (size_t at = 0; at < name.size(); at++)
    if (Lower(name[at]) != lower[at]) return false;
  return true;
}

// Takes the first component off a path; empty at its end.
std::string_view Next(std::string_view& path) {
  while (!path.empty() && path.front() == '/') path.remove_prefix(1);
  const size_t end = path.find('/');
  const std::string_view name = path.substr(0, end);
  path.remove_prefix(name.size());
  return name;
}

}  // namespace

FsFilter::FsFilter(const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns) {
    std::vector<std::string> names;
    std::string_view rest = pattern;
    for (std::string_view name = Next(rest); !name.empty(); name = Next(rest)) {
      std::string lower(name);
      for (char& one : lower) one = Lower(one);
      names.push_back(std::move(lower));
    }
    patterns_.push_back(std::move(names));
  }
}

bool FsFilter::Passes(std::string_view path) const {
  for (const std::vector<std::string>& pattern : patterns_) {
    std::string_view rest = path;
    bool passes = true;
    for (const std::string& wanted : pattern) {
      const std::string_view name = Next(rest);
      if (name.empty()) break;  // on the way
      passes = wanted == "*" || Matches(name, wanted);
      if (!passes) break;
    }
    if (passes) return true;
  }
  return false;
}

}  // namespace launchwarden
