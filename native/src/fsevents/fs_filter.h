#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace launchwarden {

// Which paths matter: patterns of whole components, of which `*` stands for any one ("/Users/*/Library/LaunchAgents").
// A path passes when it stands on the way to a pattern, is one, or lies below one. Names are compared without regard to
// case, as most volumes of a Mac do; patterns are ASCII. The cost of a path does not grow with the number of patterns.
class FsFilter {
 public:
  explicit FsFilter(const std::vector<std::string>& patterns);

  bool Passes(std::string_view path) const;

 private:
  // A component of the patterns: what may follow it.
  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> named;
    std::unique_ptr<Node> any;
    // A pattern ends here: everything below passes.
    bool end = false;
  };

  static bool Passes(const Node& node, std::string_view rest);

  Node top_;
};

}  // namespace launchwarden
