#pragma once
#include <cstdint>

#define PROC_PIDTBSDINFO 3
#define PROC_PIDVNODEPATHINFO 9
#define PROC_FLAG_EXEC 0x40
#define PROC_ALL_PIDS 1
#define PROC_PIDLISTFDS 1
#define PROC_PIDFDVNODEINFO 1
#define PROX_FDTYPE_VNODE 1

struct proc_bsdinfo {
  uint32_t pbi_flags, pbi_status, pbi_xstatus, pbi_pid, pbi_ppid;
  uint32_t pbi_uid, pbi_gid, pbi_ruid, pbi_rgid, pbi_svuid, pbi_svgid, rfu_1;
  char pbi_comm[16];
  char pbi_name[32];
  uint32_t pbi_nfiles, pbi_pgid, pbi_pjobc, e_tdev, e_tpgid;
  int32_t pbi_nice;
  uint64_t pbi_start_tvsec, pbi_start_tvusec;
};

struct vnode_info_path {
  char vip_path[1024];
};
struct proc_vnodepathinfo {
  vnode_info_path pvi_cdir, pvi_rdir;
};

struct proc_fdinfo {
  int32_t proc_fd;
  uint32_t proc_fdtype;
};
struct proc_fileinfo {
  uint32_t fi_openflags, fi_status;
  int64_t fi_offset;
  int32_t fi_type;
  uint32_t fi_guardflags;
};
// Of the real ones, what the sources name.
struct vinfo_stat {
  uint32_t vst_dev;
  uint16_t vst_mode, vst_nlink;
  uint64_t vst_ino;
};
struct vnode_info {
  vinfo_stat vi_stat;
};
struct vnode_fdinfo {
  proc_fileinfo pfi;
  vnode_info pvi;
};
