// Lines of the unified log over a scripted os_log.
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "check_darwin.h"
#include "darwin/unified_log.h"
#include "log/unified_log.h"

using namespace launchwarden;

namespace {

// What an attacker wrote is an argument, never a format.
void TextIsAnArgument() {
  const std::string hostile = "%n%s%{private}@ \xF0\x9F\x92\xA3";
  WriteUnifiedLog("alert", LogKind::kFault, hostile);
  const auto line = scripted::LogLines().back();
  CHECK(line.subsystem == "com.launchwarden.agent" && line.category == "alert");
  CHECK(line.type == 0x11 && line.format == "%{public}s" && line.argument == hostile);
  WriteUnifiedLog("alert", LogKind::kError, "x");
  CHECK(scripted::LogLines().back().type == 0x10);
  WriteUnifiedLog("alert", LogKind::kDefault, "x");
  CHECK(scripted::LogLines().back().type == 0x00);
  CHECK(scripted::LogsMade() == 1);
}

// A log is never freed: no number of categories makes more than a few.
void FewLogs() {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; thread++)
    threads.emplace_back([] {
      for (int count = 0; count < 100; count++)
        WriteUnifiedLog("category " + std::to_string(count), LogKind::kDefault, "x");
    });
  for (std::thread& one : threads) one.join();
  CHECK(scripted::LogsMade() == 16);
  CHECK(scripted::LogLines().size() == 403);
  WriteUnifiedLog("one more", LogKind::kDefault, "x");
  CHECK(scripted::LogLines().back().subsystem.empty());
}

}  // namespace

void UnifiedLogChecks() {
  TextIsAnArgument();
  FewLogs();
}
