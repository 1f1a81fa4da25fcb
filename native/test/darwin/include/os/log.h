#pragma once
// As os/log.h declares it, as far as the addon uses it; what is written goes to test/darwin/unified_log.cc.

#include <cstdint>

struct os_log_s;
typedef os_log_s* os_log_t;
typedef uint8_t os_log_type_t;

#define OS_LOG_TYPE_DEFAULT ((os_log_type_t)0x00)
#define OS_LOG_TYPE_ERROR ((os_log_type_t)0x10)
#define OS_LOG_TYPE_FAULT ((os_log_type_t)0x11)

extern "C" {
extern os_log_s scripted_default_log;
os_log_t os_log_create(const char* subsystem, const char* category);
void scripted_log(os_log_t log, os_log_type_t type, const char* format, const char* argument);
}

#define OS_LOG_DEFAULT (&scripted_default_log)
// The format must be a literal, as it must be there.
#define os_log_with_type(log, type, format, argument) scripted_log((log), (type), "" format, (argument))
