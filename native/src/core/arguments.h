#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace launchwarden {

// The arguments of one process, as far as they are kept (src/event/arguments.ts keeps by the same rule).
struct Arguments {
  // Text and number that are kept whole. Beyond, each argument is shortened by itself to its beginning and its end, and
  // the first and the last ones are kept: no argument can hide another.
  static constexpr size_t kText = 64 * 1024;
  static constexpr size_t kMost = 4'096;
  // No path is longer (PATH_MAX is 1,024 on macOS and 4,096 on Linux).
  static constexpr size_t kLongest = 4'096;

  std::vector<std::string> kept;
  size_t count = 0;      // how many there were
  size_t front = 0;      // so many of `kept` are the first ones; what is left out stood behind them
  size_t shortened = 0;  // how many of `kept` are not whole

  bool Cut() const { return shortened > 0 || kept.size() < count; }
  void Clear();

  // `text`: arguments with a NUL behind each; the last one may lack it. Empty text holds none.
  void FromText(std::string_view text);
  // `at` gives the argument at an index below `count`.
  void FromList(size_t count, const std::function<std::string_view(size_t)>& at);

 private:
  template <class Next, class Previous>
  void Keep(size_t total, Next next, Previous previous);
};

}  // namespace launchwarden
