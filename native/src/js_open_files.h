#pragma once

#include <napi.h>

namespace launchwarden {

// The JavaScript function `findHolders` (src/sensors/addon/binding.ts has its type).
void DefineFindHolders(Napi::Env env, Napi::Object exports);

}  // namespace launchwarden
