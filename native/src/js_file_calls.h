#pragma once

#include <napi.h>

namespace launchwarden {

// The JavaScript object `fileCalls` (src/base/file-calls.ts has its type).
Napi::Object DefineFileCalls(Napi::Env env);

}  // namespace launchwarden
