#pragma once

#include <napi.h>

namespace launchwarden {

// The JavaScript class `EndpointSecurityClient` (src/sensors/addon/binding.ts has its type).
Napi::Function DefineEsClient(Napi::Env env);

}  // namespace launchwarden
