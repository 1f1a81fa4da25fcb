#pragma once

#include <napi.h>

namespace launchwarden {

// The JavaScript class `FileEventSource` (src/sensors/addon/binding.ts has its type).
Napi::Function DefineFsSource(Napi::Env env);

}  // namespace launchwarden
