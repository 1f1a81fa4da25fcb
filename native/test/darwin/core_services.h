#pragma once

#include <cstdint>
#include <string>
#include <vector>

// A scripted CoreFoundation and FSEvents under the unchanged darwin/fs_api.cc.
namespace scripted {

struct Streams {
  bool create_fails = false;
  bool start_fails = false;
  bool no_history = false;
  bool no_array = false;
};

void SetStreams(const Streams& script);

struct Delivered {
  std::string path;
  uint32_t flags = 0;
  uint64_t id = 0;
  bool no_path = false;
};

// Hands the events over in one call of the stream's callback, on its queue; returns at once. False without a stream.
bool Deliver(std::vector<Delivered> events);
// Waits until the queue of the stream is empty.
void Drain();

// Objects of CoreFoundation, streams and queues that were made and not released.
int Alive();
// `create PATH,... SINCE FLAGS`, `queue`, `start`, `stop`, `invalidate`, in order.
std::vector<std::string> StreamCalls();

}  // namespace scripted
