#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fsevents/fs_api.h"

namespace launchwarden {

// FSEvents that a test writes the script of. Never part of a Mac's build.
struct FsScript {
  bool open_fails = false;
  bool start_fails = false;
  // Goes on calling the handler of a closed stream.
  bool late = false;
  std::string history = "00000000-0000-0000-0000-000000000001";
  uint64_t current_id = 1'000;
};

struct ScriptedFsEvent {
  std::string path;
  uint32_t flags = 0;
  uint64_t id = 0;
};

class FsDouble {
 public:
  explicit FsDouble(FsScript script);

  // An api whose streams are this double's.
  std::unique_ptr<FsApi> Api();
  // Calls the handler of the open stream on another thread, and waits until it has been.
  void Deliver(const std::vector<ScriptedFsEvent>& events);
  // `open PATH,... since ID`, `start`, `flush`, `close`, in order.
  std::vector<std::string> Calls() const;

 private:
  class Api_;
  class Stream_;
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace launchwarden
