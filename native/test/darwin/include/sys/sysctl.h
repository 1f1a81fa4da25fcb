#pragma once
#include <sys/time.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#define CTL_KERN 1
#define KERN_PROC 14
#define KERN_PROC_PID 1
#define KERN_ARGMAX 8
#define KERN_PROCARGS2 49

struct kinfo_proc {
  struct {
    timeval p_starttime;
    int p_flag;
    char p_stat;
    int p_pid;
    char p_comm[17];
  } kp_proc;
  struct {
    int e_ppid, e_pgid;
    struct {
      uint32_t p_ruid, p_rgid;
    } e_pcred;
    struct {
      uint32_t cr_uid;
      uint32_t cr_groups[16];
    } e_ucred;
  } kp_eproc;
};

extern "C" int sysctl(int* name, unsigned names, void* old, size_t* size, void* fresh, size_t fresh_size);
