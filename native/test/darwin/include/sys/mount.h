#pragma once
// Of a mounted volume what an event tells.

struct statfs {
  char f_mntonname[1024];
  char f_mntfromname[1024];
};
