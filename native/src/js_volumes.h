#pragma once

#include <napi.h>

namespace launchwarden {

// The JavaScript function `mountedVolumes` (src/sensors/addon/binding.ts has its type): macOS alone.
void DefineMountedVolumes(Napi::Env env, Napi::Object exports);

}  // namespace launchwarden
