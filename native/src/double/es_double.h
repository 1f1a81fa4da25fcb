#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "es/es_api.h"

namespace launchwarden {

// A libEndpointSecurity that a test writes the script of: it answers as told, keeps the calls it got, delivers messages
// on a thread of its own by the rules of subscription and of inverted target-path muting. Never part of a Mac's build.

// A message that owns its texts.
struct ScriptedMessage {
  ScriptedMessage() = default;
  ScriptedMessage(ScriptedMessage&&) noexcept = default;
  ScriptedMessage& operator=(ScriptedMessage&&) noexcept = default;

  EsMessage message;
  std::list<std::string> texts;  // a list: what is in it never moves, also when the message does
  std::vector<std::string_view> arguments;
  uint64_t skip = 0;  // so many of its kind are lost before it

  std::string_view Keep(std::string text) {
    texts.push_back(std::move(text));
    return texts.back();
  }
};

struct EsScript {
  std::vector<EsResult> connect;  // answers to Connect, in order; then success
  bool subscribe_fails = false;
  bool muting_fails = false;
  bool close_fails = false;
  // Refuses what only newer systems have (IsOptional).
  bool old_system = false;
  // Goes on calling the handler of a closed client.
  bool late = false;
};

class EsDouble {
 public:
  explicit EsDouble(EsScript script);
  ~EsDouble();

  // An api whose clients are this double's.
  std::unique_ptr<EsApi> Api();
  // Delivers all messages, `repeat` times, on another thread; waits for a play that is still going on.
  void Play(std::shared_ptr<const std::vector<ScriptedMessage>> messages, uint64_t repeat);
  // Ends a play early and waits for it.
  void Halt();
  bool Playing() const;
  std::vector<std::string> Calls() const;

 private:
  class Connection;
  class Api_;
  struct Client;
  struct Shared;
  std::shared_ptr<Shared> shared_;
  std::thread player_;
};

}  // namespace launchwarden
