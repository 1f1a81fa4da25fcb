#pragma once
// An audit token's parts lie in the order in which audit(4) numbers them.
#include <sys/types.h>

#include "../mach/mach.h"

inline uid_t audit_token_to_euid(audit_token_t token) { return token.val[1]; }
inline gid_t audit_token_to_egid(audit_token_t token) { return token.val[2]; }
inline uid_t audit_token_to_ruid(audit_token_t token) { return token.val[3]; }
inline gid_t audit_token_to_rgid(audit_token_t token) { return token.val[4]; }
inline pid_t audit_token_to_pid(audit_token_t token) { return static_cast<pid_t>(token.val[5]); }
inline int audit_token_to_pidversion(audit_token_t token) { return static_cast<int>(token.val[7]); }
