#pragma once

#include <napi.h>

namespace launchwarden {

// The JavaScript class `ProcessScanner` (src/sensors/addon/binding.ts has its type).
Napi::Function DefineProcessScanner(Napi::Env env);

}  // namespace launchwarden
