#pragma once

#include <napi.h>

#include <memory>

#include "es/es_api.h"

namespace launchwarden {

// The JavaScript class `EndpointSecurityDouble` (test/native/double.ts has its type).
Napi::Function DefineEsDouble(Napi::Env env);

// The api of such an object.
std::unique_ptr<EsApi> DoubleOf(const Napi::Object& object);

}  // namespace launchwarden
