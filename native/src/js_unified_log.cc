#include "js_unified_log.h"

#include <cstdint>
#include <string>

#include "log/unified_log.h"

namespace launchwarden {

namespace {

// The unified log cuts what is longer.
constexpr size_t kMaxText = 1000;
constexpr size_t kMaxCategory = 40;

void UnifiedLog(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() < 3 || !info[0].IsString() || !info[1].IsNumber() || !info[2].IsString())
    throw Napi::TypeError::New(env, "category, kind and text are expected");
  const std::string category = info[0].As<Napi::String>().Utf8Value();
  const int32_t kind = info[1].As<Napi::Number>().Int32Value();
  const std::string text = info[2].As<Napi::String>().Utf8Value();
  if (category.empty() || category.size() > kMaxCategory || text.size() > kMaxText || kind < 0 || kind > 2)
    throw Napi::RangeError::New(env, "category, kind or text is out of range");
  WriteUnifiedLog(category, static_cast<LogKind>(kind), text);
}

}  // namespace

void DefineUnifiedLog(Napi::Env env, Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New(env, UnifiedLog, name));
}

}  // namespace launchwarden
