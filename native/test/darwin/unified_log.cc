#include "darwin/unified_log.h"

#include <os/log.h>

#include <memory>
#include <mutex>

struct os_log_s {
  std::string subsystem;
  std::string category;
};

os_log_s scripted_default_log;

namespace {

std::mutex mutex;
std::vector<std::unique_ptr<os_log_s>> made;
std::vector<scripted::LogLine> lines;

}  // namespace

extern "C" {

os_log_t os_log_create(const char* subsystem, const char* category) {
  const std::lock_guard<std::mutex> lock(mutex);
  made.push_back(std::make_unique<os_log_s>(os_log_s{subsystem, category}));
  return made.back().get();
}

void scripted_log(os_log_t log, os_log_type_t type, const char* format, const char* argument) {
  const std::lock_guard<std::mutex> lock(mutex);
  lines.push_back({log->subsystem, log->category, type, format, argument});
}
}

namespace scripted {

std::vector<LogLine> LogLines() {
  const std::lock_guard<std::mutex> lock(mutex);
  return lines;
}

size_t LogsMade() {
  const std::lock_guard<std::mutex> lock(mutex);
  return made.size();
}

}  // namespace scripted
