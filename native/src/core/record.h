#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace launchwarden {

// One record on its way to JavaScript, packed so that a batch crosses in one buffer (src/sensors/addon/unpack.ts reads
// it). Little endian, every part aligned to 8 bytes:
//
//   u32 size of the whole record | u16 kind | u16 numbers | u32 strings | u32 flags (1: all strings are ASCII)
//   f64 x numbers | u32 x strings (byte lengths) | the strings' bytes, one after the other
//
// Numbers are doubles: what can exceed 2^53 (inodes) goes as text.
class Record {
 public:
  explicit Record(uint16_t kind) : kind_(kind) {}

  void Clear(uint16_t kind);
  void Number(double value) { numbers_.push_back(value); }
  void String(std::string_view text);

  uint16_t kind() const { return kind_; }
  size_t PackedSize() const;
  // Appends the packed form.
  void PackInto(std::vector<uint8_t>& out) const;

 private:
  uint16_t kind_;
  bool ascii_ = true;
  std::vector<double> numbers_;
  std::vector<uint32_t> lengths_;
  std::vector<char> bytes_;
};

}  // namespace launchwarden
