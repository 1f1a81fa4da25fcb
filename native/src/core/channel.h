#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "core/record.h"

namespace launchwarden {

// From the threads that see things to the one that runs JavaScript: bounded in bytes, never blocks the writer, counts
// what does not fit by kind of record, and has at most one wake-up in flight however much is written.
class Channel {
 public:
  static constexpr size_t kKinds = 64;
  // About 128 records of ordinary size: the batch size at which the crossing was measured to be cheapest.
  static constexpr size_t kChunkBytes = 64 * 1024;

  // `wake` is called on the writing thread, when the reader has emptied the channel since the last call.
  Channel(size_t capacity_bytes, std::function<void()> wake);

  // False when there was no room; the record is counted as dropped.
  bool Push(const Record& record);
  // Whether a record of ordinary size would fit now.
  bool HasRoom();
  // Moves the oldest batch into `out`. False, and the next Push wakes again, when there is none.
  bool Take(std::vector<uint8_t>& out);

  struct Counters {
    uint64_t pushed = 0;
    uint64_t dropped = 0;
    std::array<uint64_t, kKinds> dropped_by_kind{};
  };
  Counters counters();

 private:
  const size_t capacity_;
  const std::function<void()> wake_;
  std::mutex mutex_;
  std::deque<std::vector<uint8_t>> chunks_;
  std::vector<uint8_t> spare_;
  size_t bytes_ = 0;
  bool awake_ = false;
  Counters counters_;
};

}  // namespace launchwarden
