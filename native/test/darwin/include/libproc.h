#pragma once
// What the reader needs of Apple's libproc, scripted by ../kernel.cc. Written from the behaviour that XNU publishes.
#include <cstdint>

#include "sys/proc_info.h"

#define PROC_PIDPATHINFO_MAXSIZE 4096
#define PROC_LISTPIDSPATH_EXCLUDE_EVTONLY 2

extern "C" {
int proc_listallpids(void* buffer, int size);
int proc_pidinfo(int pid, int flavor, uint64_t argument, void* buffer, int size);
int proc_pidpath(int pid, void* buffer, uint32_t size);
int proc_listpidspath(uint32_t type, uint32_t argument, const char* path, uint32_t flags, void* buffer, int size);
int proc_pidfdinfo(int pid, int file, int flavor, void* buffer, int size);
}

// pthread/qos.h
enum qos_class_t { QOS_CLASS_USER_INTERACTIVE = 0x21 };
inline int pthread_set_qos_class_self_np(qos_class_t, int) { return 0; }
