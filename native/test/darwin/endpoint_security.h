#pragma once

#include <EndpointSecurity/EndpointSecurity.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

// A scripted libEndpointSecurity under the unchanged darwin/es_api.cc.
namespace scripted {

struct Security {
  std::vector<uint32_t> connect;  // what es_new_client answers, in order; afterwards success
  bool no_client = false;         // success, and no client
  bool no_token = false;          // task_info fails
  bool mute_process_fails = false, clear_fails = false, invert_fails = false, subscribe_fails = false, delete_fails = false;
  std::set<std::string> refused_paths;
  uint32_t newest_type = 1'000;  // a subscription to one beyond it is refused, with all that is asked for together
  bool late = false;             // handlers are called although their client was deleted
};

void SetSecurity(const Security& script);
std::vector<std::string> SecurityCalls();
// Clients and messages that were made and not freed.
int SecurityAlive();

// The memory of one message. It goes when its handler returns, as the system's does: who kept a part of it reads what is
// freed.
class Memory {
 public:
  es_string_token_t Text(std::string text);
  es_file_t* File(std::string path);
  es_process_t* Process(int pid, std::string executable, int pidversion = 1);
  template <typename T>
  T* New() {
    auto made = std::make_shared<T>();
    kept_.push_back(made);
    return made.get();
  }

 private:
  std::deque<std::shared_ptr<void>> kept_;
};

audit_token_t TokenOf(int pid, int pidversion);

struct Sent {
  uint32_t type = 0;
  uint64_t skip = 0;  // so many of its type were dropped before it
  uint32_t version = 10;
  std::function<void(es_message_t&, Memory&)> fill;
};

// Calls the handlers of all clients that asked for the type, on the calling thread: one after the other for each client.
void Send(const Sent& sent);

}  // namespace scripted
