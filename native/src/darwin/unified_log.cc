#include "log/unified_log.h"

#include <os/log.h>

#include <map>
#include <mutex>

namespace launchwarden {

namespace {

constexpr char kSubsystem[] = "com.launchwarden.agent";
// Categories are a handful of words of ours: more are not made.
constexpr size_t kMaxCategories = 16;

// os_log_create(3): a log is never freed, so that each is made once.
os_log_t LogOf(const std::string& category) {
  static std::mutex mutex;
  static std::map<std::string, os_log_t> logs;
  const std::lock_guard<std::mutex> lock(mutex);
  const auto known = logs.find(category);
  if (known != logs.end()) return known->second;
  if (logs.size() >= kMaxCategories) return OS_LOG_DEFAULT;
  return logs[category] = os_log_create(kSubsystem, category.c_str());
}

}  // namespace

// Public: the line holds what its caller chose to show. Unproven: never run on a Mac by its authors.
void WriteUnifiedLog(const std::string& category, LogKind kind, const std::string& text) {
  const os_log_t log = LogOf(category);
  switch (kind) {
    case LogKind::kDefault:
      os_log_with_type(log, OS_LOG_TYPE_DEFAULT, "%{public}s", text.c_str());
      break;
    case LogKind::kError:
      os_log_with_type(log, OS_LOG_TYPE_ERROR, "%{public}s", text.c_str());
      break;
    case LogKind::kFault:
      os_log_with_type(log, OS_LOG_TYPE_FAULT, "%{public}s", text.c_str());
      break;
  }
}

}  // namespace launchwarden
