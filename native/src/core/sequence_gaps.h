#pragma once

#include <cstdint>

namespace launchwarden {

// A counter that rises by one with every message: a larger step is so many messages that never came.
class SequenceGap {
 public:
  // How many were lost since the last one. The first message sets the mark; one that runs backwards (a new client, a
  // fault) sets it anew.
  uint64_t Next(uint64_t number) {
    const bool known = known_;
    const uint64_t expected = expected_;
    known_ = true;
    expected_ = number + 1;
    return known && number > expected ? number - expected : 0;
  }

 private:
  bool known_ = false;
  uint64_t expected_ = 0;
};

}  // namespace launchwarden
