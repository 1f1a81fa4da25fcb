#pragma once
// Of Mach: the audit token, and how a process asks for its own (../../endpoint_security.cc).

typedef struct {
  unsigned int val[8];
} audit_token_t;

typedef int kern_return_t;
typedef unsigned int task_t, task_flavor_t, mach_msg_type_number_t;
typedef int* task_info_t;
#define KERN_SUCCESS 0
#define TASK_AUDIT_TOKEN 15
#define TASK_AUDIT_TOKEN_COUNT (sizeof(audit_token_t) / sizeof(unsigned int))

extern "C" {
task_t mach_task_self();
kern_return_t task_info(task_t task, task_flavor_t flavor, task_info_t into, mach_msg_type_number_t* count);
}
