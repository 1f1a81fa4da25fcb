#pragma once

#include <napi.h>

namespace launchwarden {

// The JavaScript function `processes` (src/sensors/addon/binding.ts has its type).
Napi::Function DefineProcesses(Napi::Env env);

}  // namespace launchwarden
