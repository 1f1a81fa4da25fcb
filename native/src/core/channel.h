#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "core/record.h"

namespace launchwarden {

// When a channel's writer wakes its reader.
enum class WakeAt {
  kPush,   // at the first record after the reader has emptied the channel
  kFlush,  // when the writer says so, or a batch is full
};

// From the threads that see things to the one that runs JavaScript: bounded in bytes, never blocks the writer, counts
// what does not fit by kind of record, and wakes seldom however much is written.
class Channel {
 public:
  static constexpr size_t kKinds = 64;
  // About 128 records of ordinary size: the batch size at which the crossing was measured to be cheapest.
  static constexpr size_t kChunkBytes = 64 * 1024;

  // `wake` is called on the writing thread. With `kFlush` it may be called again while the reader is still at work: two
  // calls may be made into one as long as the reader begins to take after the later one.
  Channel(size_t capacity_bytes, std::function<void()> wake, WakeAt wake_at = WakeAt::kPush);

  // False when there was no room; the record is counted as dropped.
  bool Push(const Record& record);
  // Wakes the reader if something was pushed since the last flush, taken meanwhile or not; or in any case.
  void Flush(bool in_any_case = false);
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
  const WakeAt wake_at_;
  std::mutex mutex_;
  std::deque<std::vector<uint8_t>> chunks_;
  std::vector<uint8_t> spare_;
  size_t bytes_ = 0;
  bool awake_ = false;
  bool unflushed_ = false;
  Counters counters_;
};

}  // namespace launchwarden
