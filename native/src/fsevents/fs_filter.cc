#include "fsevents/fs_filter.h"

namespace launchwarden {

namespace {

char Lower(char one) { return one >= 'A' && one <= 'Z' ? static_cast<char>(one - 'A' + 'a') : one; }

std::string Lower(std::string_view name) {
  std::string lower(name);
  for (char& one : lower) one = Lower(one);
  return lower;
}

// Beyond ASCII only the file system knows which names are the same (a Kelvin sign is a k): such a name passes.
bool IsPlain(std::string_view name) {
  for (const char one : name)
    if (static_cast<unsigned char>(one) >= 0x80) return false;
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
    Node* node = &top_;
    std::string_view rest = pattern;
    for (std::string_view name = Next(rest); !name.empty(); name = Next(rest)) {
      std::unique_ptr<Node>& next = name == "*" ? node->any : node->named[Lower(name)];
      if (next == nullptr) next = std::make_unique<Node>();
      node = next.get();
    }
    node->end = true;
  }
}

bool FsFilter::Passes(std::string_view path) const { return Passes(top_, path); }

bool FsFilter::Passes(const Node& node, std::string_view rest) {
  if (node.end) return true;
  const std::string_view name = Next(rest);
  if (name.empty()) return node.any != nullptr || !node.named.empty();  // on the way
  if (node.any != nullptr && Passes(*node.any, rest)) return true;
  if (!IsPlain(name)) {
    for (const auto& [_, next] : node.named)
      if (Passes(*next, rest)) return true;
    return false;
  }
  const auto found = node.named.find(Lower(name));
  return found != node.named.end() && Passes(*found->second, rest);
}

}  // namespace launchwarden
