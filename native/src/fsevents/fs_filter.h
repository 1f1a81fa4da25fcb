#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace launchwarden {

// Which paths matter: patterns of whole components, of which `*` stands for any one ("/Users/*/Library/LaunchAgents").
// A path passes when it stands on the way to a pattern, is one, or lies below one. Names are compared without regard to
// case, as most volumes of a Mac do; patterns are ASCII.
class FsFilter {
 public:
  explicit FsFilter(const std::vector<std::string>& patterns);

  bool Passes(std::string_view path) const;

 private:
  std::vector<std::vector<std::string>> patterns_;
};

}  // namespace launchwarden
