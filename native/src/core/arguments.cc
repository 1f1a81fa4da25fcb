#include "core/arguments.h"

#include <algorithm>
#include <utility>

namespace launchwarden {

namespace {

constexpr std::string_view kMark = "\xe2\x80\xa6";  // U+2026, an ellipsis

bool IsContinuation(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

// The beginning and the end of an argument, cut between characters where it is UTF-8.
std::string Shortened(std::string_view argument) {
  constexpr size_t kHalf = (Arguments::kLongest - kMark.size()) / 2;
  constexpr size_t kMostContinuations = 3;
  size_t head = kHalf, tail = argument.size() - kHalf;
  while (head > kHalf - kMostContinuations && IsContinuation(argument[head])) head--;
  while (tail < argument.size() - kHalf + kMostContinuations && IsContinuation(argument[tail])) tail++;
  std::string result(argument.substr(0, head));
  result += kMark;
  result += argument.substr(tail);
  return result;
}

}  // namespace

void Arguments::Clear() {
  kept.clear();
  count = front = shortened = 0;
}

// `next` gives the arguments from the first one on, `previous` from the last one backwards.
template <class Next, class Previous>
void Arguments::Keep(size_t total, Next next, Previous previous) {
  Clear();
  count = total;
  size_t room = kText / 2;
  // An argument costs at least a byte, so that the empty ones count too.
  const auto take = [&](std::string_view argument) {
    const size_t cost = std::min(argument.size(), kLongest) + 1;
    if (cost > room) return false;
    room -= cost;
    if (argument.size() <= kLongest) {
      kept.emplace_back(argument);
    } else {
      kept.push_back(Shortened(argument));
      shortened++;
    }
    return true;
  };
  while (front < std::min(total, kMost / 2) && take(next())) front++;
  room += kText / 2;
  for (size_t back = 0; front + back < total && back < kMost / 2 && take(previous()); back++) {
  }
  std::reverse(kept.begin() + static_cast<std::ptrdiff_t>(front), kept.end());
}

void Arguments::FromText(std::string_view text) {
  Clear();
  if (text.empty()) return;
  if (text.back() == 0) text.remove_suffix(1);
  const size_t total = static_cast<size_t>(std::count(text.begin(), text.end(), '\0')) + 1;
  std::string_view rest = text;
  const auto next = [&rest] {
    const size_t end = rest.find('\0');
    const std::string_view argument = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return argument;
  };
  if (text.size() < kText && total <= kMost) {
    count = front = total;
    kept.reserve(total);
    for (size_t index = 0; index < total; index++) kept.emplace_back(next());
    return;
  }
  std::string_view left = text;
  const auto previous = [&left] {
    const size_t before = left.rfind('\0');
    const std::string_view argument = left.substr(before == std::string_view::npos ? 0 : before + 1);
    left = left.substr(0, before == std::string_view::npos ? 0 : before);
    return argument;
  };
  Keep(total, next, previous);
}

void Arguments::FromList(size_t total, const std::function<std::string_view(size_t)>& at) {
  Clear();
  size_t text = 0;
  if (total <= kMost)
    for (size_t index = 0; index < total && text <= kText; index++) text += at(index).size() + 1;
  if (total <= kMost && text <= kText) {
    count = front = total;
    kept.reserve(total);
    for (size_t index = 0; index < total; index++) kept.emplace_back(at(index));
    return;
  }
  size_t first = 0, last = total;
  Keep(total, [&] { return at(first++); }, [&] { return at(--last); });
}

}  // namespace launchwarden
