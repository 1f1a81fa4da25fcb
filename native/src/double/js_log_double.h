#pragma once

#include <napi.h>

namespace launchwarden {

// The functions `unifiedLogDouble` and `takeUnifiedLog` (test/native/unified-log.test.ts has their types).
void DefineLogDouble(Napi::Env env, Napi::Object exports);

}  // namespace launchwarden
