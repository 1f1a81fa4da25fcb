#include "core/record.h"

#include <cstring>

namespace launchwarden {

namespace {

constexpr size_t kHeader = 16;

size_t Aligned(size_t size) { return (size + 7) & ~size_t{7}; }

bool IsAscii(std::string_view text) {
  const char* at = text.data();
  size_t left = text.size();
  for (; left >= 8; at += 8, left -= 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    if ((word & 0x8080808080808080ull) != 0) return false;
  }
  for (; left > 0; at++, left--)
    if ((*at & 0x80) != 0) return false;
  return true;
}

}  // namespace

void Record::Clear(uint16_t kind) {
  kind_ = kind;
  ascii_ = true;
  numbers_.clear();
  lengths_.clear();
  bytes_.clear();
}

void Record::String(std::string_view text) {
  lengths_.push_back(static_cast<uint32_t>(text.size()));
  if (text.empty()) return;
  bytes_.insert(bytes_.end(), text.begin(), text.end());
  if (ascii_) ascii_ = IsAscii(text);
}

size_t Record::PackedSize() const {
  return kHeader + numbers_.size() * 8 + Aligned(lengths_.size() * 4) + Aligned(bytes_.size());
}

void Record::PackInto(std::vector<uint8_t>& out) const {
  const size_t size = PackedSize();
  const size_t start = out.size();
  out.resize(start + size);
  uint8_t* at = out.data() + start;
  const uint32_t header[4] = {static_cast<uint32_t>(size),
                              kind_ | static_cast<uint32_t>(numbers_.size()) << 16,
                              static_cast<uint32_t>(lengths_.size()), ascii_ ? 1u : 0u};
  std::memcpy(at, header, kHeader);
  at += kHeader;
  if (!numbers_.empty()) std::memcpy(at, numbers_.data(), numbers_.size() * 8);
  at += numbers_.size() * 8;
  if (!lengths_.empty()) std::memcpy(at, lengths_.data(), lengths_.size() * 4);
  at += Aligned(lengths_.size() * 4);
  if (!bytes_.empty()) std::memcpy(at, bytes_.data(), bytes_.size());
}

}  // namespace launchwarden
