#pragma once

#include <napi.h>

#include <memory>

#include "fsevents/fs_api.h"

namespace launchwarden {

// The JavaScript class `FileEventDouble` (test/native/fs-double.ts has its type).
Napi::Function DefineFsDouble(Napi::Env env);

// The api of such an object.
std::unique_ptr<FsApi> FsDoubleOf(const Napi::Object& object);

}  // namespace launchwarden
