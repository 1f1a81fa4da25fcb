#include "scan/process_reader.h"

namespace launchwarden {

namespace {

class Unsupported final : public ProcessReader {
 public:
  std::string Open() override { return "this system's processes cannot be read"; }
  bool Births(std::vector<int>&) override { return false; }
  bool List(std::vector<int>&) override { return false; }
  Seen Glance(int, ProcessGlance&) override { return Seen::kGone; }
  Seen Read(int, ProcessFacts&) override { return Seen::kGone; }
};

}  // namespace

std::unique_ptr<ProcessReader> MakeProcessReader() { return std::make_unique<Unsupported>(); }

void RaiseThreadPriority() {}

}  // namespace launchwarden
