#pragma once

#include <cstdint>
#include <ctime>

namespace launchwarden {

// Microseconds of one of the system's clocks.
inline int64_t ClockUs(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
}

inline int64_t WallUs() { return ClockUs(CLOCK_REALTIME); }
inline int64_t SteadyUs() { return ClockUs(CLOCK_MONOTONIC); }

}  // namespace launchwarden
