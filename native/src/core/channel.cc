#include "core/channel.h"

#include <utility>

namespace launchwarden {

Channel::Channel(size_t capacity_bytes, std::function<void()> wake, WakeAt wake_at)
    : capacity_(capacity_bytes), wake_(std::move(wake)), wake_at_(wake_at) {}

bool Channel::Push(const Record& record) {
  const size_t size = record.PackedSize();
  bool wake;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (bytes_ + size > capacity_) {
      counters_.dropped++;
      counters_.dropped_by_kind[record.kind() % kKinds]++;
      return false;
    }
    if (chunks_.empty() || chunks_.back().size() + size > kChunkBytes) {
      chunks_.push_back(std::exchange(spare_, {}));
      chunks_.back().clear();
      if (size < kChunkBytes && chunks_.size() > 1) chunks_.back().reserve(kChunkBytes);
    }
    record.PackInto(chunks_.back());
    bytes_ += size;
    counters_.pushed++;
    unflushed_ = true;
    wake = (wake_at_ == WakeAt::kPush || chunks_.size() > 1) && !std::exchange(awake_, true);
  }
  if (wake) wake_();
  return true;
}

void Channel::Flush(bool in_any_case) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!std::exchange(unflushed_, false) && !in_any_case) return;
    awake_ = true;
  }
  wake_();
}

bool Channel::HasRoom() {
  std::lock_guard<std::mutex> lock(mutex_);
  return bytes_ + kChunkBytes <= capacity_;
}

bool Channel::Take(std::vector<uint8_t>& out) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (chunks_.empty()) {
    awake_ = false;
    return false;
  }
  // The reader's last buffer becomes the writer's next one, unless one huge record made it huge.
  if (out.capacity() <= 2 * kChunkBytes) spare_ = std::exchange(out, {});
  out = std::move(chunks_.front());
  chunks_.pop_front();
  bytes_ -= out.size();
  return true;
}

Channel::Counters Channel::counters() {
  std::lock_guard<std::mutex> lock(mutex_);
  return counters_;
}

}  // namespace launchwarden
