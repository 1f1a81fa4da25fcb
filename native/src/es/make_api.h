#pragma once

#include <memory>

#include "es/es_api.h"

namespace launchwarden {

// The system's own EndpointSecurity; one that always answers kUnsupported where there is none.
std::unique_ptr<EsApi> MakeEsApi();

}  // namespace launchwarden
