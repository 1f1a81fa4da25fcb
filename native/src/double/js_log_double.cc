#include "double/js_log_double.h"

#include <deque>
#include <mutex>
#include <string>

#include "js_unified_log.h"
#include "log/unified_log.h"

namespace launchwarden {

namespace {

struct Line {
  std::string category;
  int kind;
  std::string text;
};

constexpr size_t kKept = 100;
std::mutex mutex;
std::deque<Line> lines;

// What was written since the last call.
Napi::Value Take(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::lock_guard<std::mutex> lock(mutex);
  Napi::Array taken = Napi::Array::New(env);
  for (uint32_t index = 0; !lines.empty(); index++) {
    Napi::Object one = Napi::Object::New(env);
    one.Set("category", lines.front().category);
    one.Set("kind", lines.front().kind);
    one.Set("text", lines.front().text);
    taken.Set(index, one);
    lines.pop_front();
  }
  return taken;
}

}  // namespace

void WriteUnifiedLog(const std::string& category, LogKind kind, const std::string& text) {
  const std::lock_guard<std::mutex> lock(mutex);
  lines.push_back({category, static_cast<int>(kind), text});
  if (lines.size() > kKept) lines.pop_front();
}

void DefineLogDouble(Napi::Env env, Napi::Object exports) {
  DefineUnifiedLog(env, exports, "unifiedLogDouble");
  exports.Set("takeUnifiedLog", Napi::Function::New(env, Take, "takeUnifiedLog"));
}

}  // namespace launchwarden
