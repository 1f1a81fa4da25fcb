#include "scan/hint_trust.h"

#include <algorithm>

namespace launchwarden {

void HintTrust::Told(const std::vector<int>& forked, int64_t now_us) {
  told_ = forked;
  std::sort(told_.begin(), told_.end());
  size_t kept = 0;
  for (const Birth& birth : pending_) {
    if (WasTold(birth.ppid)) {
      Count();
    } else if (now_us >= birth.due_us) {
      misses_++;
      in_a_row_ = 0;
    } else {
      pending_[kept++] = birth;
    }
  }
  pending_.resize(kept);
}

void HintTrust::Born(int ppid, int64_t now_us) {
  if (WasTold(ppid)) Count();
  else if (pending_.size() < kMostPending) pending_.push_back({ppid, now_us + kGraceUs});
}

bool HintTrust::WasTold(int ppid) const { return std::binary_search(told_.begin(), told_.end(), ppid); }

void HintTrust::Count() {
  if (in_a_row_ < kNeeded) in_a_row_++;
}

}  // namespace launchwarden
