#pragma once

#include "core/record.h"
#include "es/es_api.h"

namespace launchwarden {

// Writes a message into `record`, in the order in which src/sensors/endpoint-security/read-record.ts reads it. What the
// message's version does not have is left out, whatever its bytes say.
void PackMessage(const EsMessage& message, Record& record);

}  // namespace launchwarden
