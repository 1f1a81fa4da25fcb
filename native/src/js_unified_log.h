#pragma once

#include <napi.h>

namespace launchwarden {

// The JavaScript function `unifiedLog` (src/sensors/addon/binding.ts has its type); `name` is what it is called.
void DefineUnifiedLog(Napi::Env env, Napi::Object exports, const char* name);

}  // namespace launchwarden
