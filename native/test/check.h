#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

inline int checks = 0;

inline void Check(bool holds, const char* what, const char* file, int line) {
  checks++;
  if (holds) return;
  std::fprintf(stderr, "%s:%d: %s\n", file, line, what);
  // At once: other threads still use what an orderly end would take away under them.
  std::_Exit(1);
}
#define CHECK(condition) Check((condition), #condition, __FILE__, __LINE__)

template <typename Condition>
bool Eventually(Condition condition) {
  for (int tries = 0; tries < 5'000; tries++) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

struct Unpacked {
  uint16_t kind = 0;
  std::vector<double> numbers;
  std::vector<std::string> strings;
};

inline std::vector<Unpacked> Unpack(const std::vector<uint8_t>& batch) {
  std::vector<Unpacked> records;
  for (size_t at = 0; at < batch.size();) {
    uint32_t header[4];
    std::memcpy(header, batch.data() + at, sizeof header);
    CHECK(header[0] >= 16 && header[0] % 8 == 0 && at + header[0] <= batch.size());
    Unpacked record;
    record.kind = static_cast<uint16_t>(header[1] & 0xffff);
    record.numbers.resize(header[1] >> 16);
    const uint8_t* from = batch.data() + at + 16;
    if (!record.numbers.empty()) std::memcpy(record.numbers.data(), from, record.numbers.size() * 8);
    from += record.numbers.size() * 8;
    const char* text = reinterpret_cast<const char*>(from + ((header[2] * 4 + 7) & ~size_t{7}));
    for (uint32_t index = 0; index < header[2]; index++) {
      uint32_t length;
      std::memcpy(&length, from + index * 4, 4);
      record.strings.emplace_back(text, length);
      text += length;
    }
    at += header[0];
    records.push_back(std::move(record));
  }
  return records;
}

// check_client.cc
void Clients();
