#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "scan/clocks.h"
#include "scan/pause.h"

namespace launchwarden {

// A wait that is told nothing, for any system.
class PlainPause final : public Pause {
 public:
  void Wait(int64_t until_us, Told&) override {
    std::unique_lock<std::mutex> lock(mutex_);
    // std::chrono::steady_clock need not be the clock that `until_us` is of.
    const std::chrono::microseconds left(std::max<int64_t>(until_us - SteadyUs(), 0));
    signal_.wait_for(lock, left, [this] { return interrupted_; });
    interrupted_ = false;
  }

  void Interrupt() override {
    std::lock_guard<std::mutex> lock(mutex_);
    interrupted_ = true;
    signal_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable signal_;
  bool interrupted_ = false;
};

}  // namespace launchwarden
