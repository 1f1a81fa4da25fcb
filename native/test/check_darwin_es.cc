// The EndpointSecurity client over a scripted library.
#include <EndpointSecurity/EndpointSecurity.h>

#include <atomic>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "check_darwin.h"
#include "core/channel.h"
#include "darwin/endpoint_security.h"
#include "es/client.h"
#include "es/make_api.h"

using namespace launchwarden;
using scripted::Memory;
using scripted::Security;
using scripted::Send;

namespace {

using List = std::vector<std::string>;

constexpr uint32_t kCheckIn = 159;
// es/pack.cc: where the parts of a record lie.
constexpr size_t kDetail = 4, kSubject = 6, kProcessNumbers = 17, kProcessTexts = 4;
constexpr size_t kStart = 11, kParent = 12, kCategory = 16;

EsPlan Plan() {
  EsPlan plan;
  for (const EsKind kind : {EsKind::kExec, EsKind::kFork, EsKind::kExit, EsKind::kBtmAdd, EsKind::kBtmRemove, EsKind::kBootstrapCheckIn})
    plan.process_kinds.push_back(kind);
  for (const EsKind kind : {EsKind::kCreate, EsKind::kClose, EsKind::kRename, EsKind::kUnlink, EsKind::kLink, EsKind::kClone,
                            EsKind::kCopyfile, EsKind::kTruncate, EsKind::kExchangedata, EsKind::kSetmode, EsKind::kSetowner,
                            EsKind::kMount, EsKind::kOpen, EsKind::kSetextattr, EsKind::kDeleteextattr})
    plan.file_kinds.push_back(kind);
  plan.targets = {{EsTarget::kPrefix, "/Library/LaunchAgents/"}, {EsTarget::kLiteral, "/Library/LaunchAgents"}};
  return plan;
}

// A client that runs, and what it has packed.
class Running {
 public:
  // One at a time: it sets what the library does.
  explicit Running(const Security& script = {}) {
    scripted::SetSecurity(script);
    client_ = std::make_unique<EsClient>(MakeEsApi(), channel_);
    result = client_->Start(Plan());
  }

  std::vector<Unpacked> Take() {
    std::vector<Unpacked> all;
    std::vector<uint8_t> batch;
    while (channel_->Take(batch))
      for (Unpacked& one : Unpack(batch)) all.push_back(std::move(one));
    return all;
  }

  Unpacked One(EsKind kind) {
    const auto all = Take();
    CHECK(all.size() == 1 && all[0].kind == EsClient::kRecordBase + static_cast<int>(kind));
    return all[0];
  }

  EsClient& client() { return *client_; }
  const EsCounters& counters() const { return client_->counters(); }

  EsResult result = EsResult::kUnknown;

 private:
  const std::shared_ptr<Channel> channel_ = std::make_shared<Channel>(64 << 20, [] {});
  std::unique_ptr<EsClient> client_;
};

scripted::Sent Exec(int pid, int pidversion, const List& arguments, uint32_t version = 10) {
  scripted::Sent sent{.type = ES_EVENT_TYPE_NOTIFY_EXEC, .version = version};
  sent.fill = [=](es_message_t& message, Memory& memory) {
    es_event_exec_t& exec = message.event.exec;
    message.process = memory.Process(pid, "/bin/sh", pidversion - 1);
    exec.target = memory.Process(pid, "/bin/launchctl", pidversion);
    exec.cwd = memory.File("/private/tmp");
    exec.script = memory.File("/private/tmp/x.sh");
    auto* tokens = memory.New<std::vector<es_string_token_t>>();
    for (const std::string& one : arguments) tokens->push_back(memory.Text(one));
    exec.arguments = tokens->data();
    exec.argument_count = static_cast<uint32_t>(tokens->size());
  };
  return sent;
}

scripted::Sent Event(uint32_t type, std::function<void(es_message_t&, Memory&)> fill, uint32_t version = 10) {
  return {.type = type, .version = version, .fill = std::move(fill)};
}

void Order() {
  Running running;
  CHECK(running.result == EsResult::kSuccess);
  // Each client mutes itself; the file client clears and inverts before it lists, and subscribes last. What only newer
  // systems have is asked for alone.
  CHECK((scripted::SecurityCalls() ==
         List{"connect", "mute 4711", "subscribe 9 11 15 124 125", "subscribe 159", "connect", "mute 4711", "clear", "invert 2",
              "mute prefix /Library/LaunchAgents/", "mute literal /Library/LaunchAgents",
              "subscribe 13 12 25 32 19 61 110 41 14 29 30 22 10 27 70"}));
  CHECK(running.client().Stop() && running.client().Stop());
  const List calls = scripted::SecurityCalls();
  CHECK((List(calls.end() - 4, calls.end()) == List{"unsubscribe", "delete", "unsubscribe", "delete"}));
}

// Another program in its own place: the new image with its arguments, and who it was before.
void Execs() {
  Running running;
  Send(Exec(500, 8, {"launchctl", "", "load", "/x.plist"}));
  const Unpacked exec = running.One(EsKind::kExec);
  CHECK(exec.numbers[kSubject] == 500 && exec.numbers[kSubject + 1] == 8 && exec.strings[0] == "/bin/launchctl");
  CHECK(exec.numbers[kSubject + kProcessNumbers] == 500 && exec.numbers[kSubject + kProcessNumbers + 1] == 7);
  CHECK(exec.strings[kProcessTexts] == "/bin/sh");
  CHECK((List(exec.strings.begin() + 2 * kProcessTexts, exec.strings.end()) ==
         List{"/private/tmp", "/private/tmp/x.sh", "launchctl", "", "load", "/x.plist"}));
  CHECK(exec.numbers[0] == 1'700'000'001'123'456 && exec.numbers[1] == 789);
  CHECK(exec.numbers[kSubject + kStart] == 1'700'000'000'000'007 && exec.numbers[kSubject + kParent] == 1);
#if __MAC_OS_X_VERSION_MAX_ALLOWED >= 260000
  CHECK(exec.numbers[kSubject + kCategory] == 6);
#endif

  // What an older message does not have is reserved bytes in it, and not read.
  Send(Exec(501, 8, {"a"}, 1));
  const Unpacked old = running.One(EsKind::kExec);
  for (const size_t number : {kStart, kParent, kCategory}) CHECK(std::isnan(old.numbers[kSubject + number]));
  CHECK(old.strings[2 * kProcessTexts].empty() && old.strings[2 * kProcessTexts + 1].empty() && old.strings.back() == "a");

  Send(Event(ES_EVENT_TYPE_NOTIFY_FORK, [](es_message_t& message, Memory& memory) {
    message.event.fork.child = memory.Process(600, "/bin/zsh");
  }));
  const Unpacked fork = running.One(EsKind::kFork);
  CHECK(fork.numbers[kSubject] == 600 && fork.numbers[kSubject + kProcessNumbers] == 100);
  Send(Event(ES_EVENT_TYPE_NOTIFY_EXIT, [](es_message_t& message, Memory&) { message.event.exit.stat = 256; }));
  CHECK(running.One(EsKind::kExit).numbers[kDetail] == 256);
  // Tokens without data, a process without an executable.
  Send(Event(ES_EVENT_TYPE_NOTIFY_EXIT, [](es_message_t& message, Memory&) {
    message.process->executable = nullptr;
    message.process->signing_id = {7, nullptr};
    message.process->team_id = {0, nullptr};
  }));
  const Unpacked bare = running.One(EsKind::kExit);
  CHECK(bare.strings[0].empty() && bare.strings[1].empty() && bare.strings[2].empty());
}

// The path at which the file stands afterwards, and where it came from.
void Files() {
  Running running;
  const std::string place = "/Library/LaunchAgents/a.plist";
  const auto told = [&](EsKind kind, uint32_t type, const std::function<void(es_message_t&, Memory&)>& fill) {
    Send(Event(type, fill));
    const Unpacked record = running.One(kind);
    return List(record.strings.begin() + kProcessTexts, record.strings.end());
  };
  const std::string inode = "1152921500312525701";
  CHECK((told(EsKind::kCreate, ES_EVENT_TYPE_NOTIFY_CREATE, [&](es_message_t& message, Memory& memory) {
           message.event.create = {ES_DESTINATION_TYPE_EXISTING_FILE, {memory.File(place)}};
         }) == List{place, inode}));
  CHECK((told(EsKind::kClose, ES_EVENT_TYPE_NOTIFY_CLOSE, [&](es_message_t& message, Memory& memory) {
           message.event.close = {true, memory.File(place), false};
         }) == List{place, inode}));
  CHECK((told(EsKind::kRename, ES_EVENT_TYPE_NOTIFY_RENAME, [&](es_message_t& message, Memory& memory) {
           message.event.rename.source = memory.File("/private/tmp/b");
           message.event.rename.destination_type = ES_DESTINATION_TYPE_EXISTING_FILE;
           message.event.rename.destination.existing_file = memory.File(place);
           message.event.rename.destination.existing_file->stat.st_ino = 7;
         }) == List{place, inode, "/private/tmp/b", inode}));
  CHECK((told(EsKind::kRename, ES_EVENT_TYPE_NOTIFY_RENAME, [&](es_message_t& message, Memory& memory) {
           message.event.rename.source = memory.File("/private/tmp/b");
           message.event.rename.destination_type = ES_DESTINATION_TYPE_NEW_PATH;
           message.event.rename.destination.new_path = {memory.File("/Library/LaunchAgents"), memory.Text("c\xff.plist")};
         }) == List{"/Library/LaunchAgents/c\xff.plist", "0", "/private/tmp/b", inode}));
  CHECK((told(EsKind::kCopyfile, ES_EVENT_TYPE_NOTIFY_COPYFILE, [&](es_message_t& message, Memory& memory) {
           message.event.copyfile = {memory.File("/private/tmp/b"), nullptr, memory.File("/"), memory.Text("d")};
         }) == List{"/d", "0", "/private/tmp/b", inode}));
  CHECK((told(EsKind::kClone, ES_EVENT_TYPE_NOTIFY_CLONE, [&](es_message_t& message, Memory& memory) {
           message.event.clone = {memory.File("/private/tmp/b"), memory.File("/Library/LaunchAgents"), memory.Text("e")};
         }) == List{"/Library/LaunchAgents/e", "0", "/private/tmp/b", inode}));
  CHECK((told(EsKind::kExchangedata, ES_EVENT_TYPE_NOTIFY_EXCHANGEDATA, [&](es_message_t& message, Memory& memory) {
           message.event.exchangedata = {memory.File(place), memory.File("/private/tmp/b")};
         }) == List{place, inode, "/private/tmp/b", inode}));
  CHECK((told(EsKind::kDeleteextattr, ES_EVENT_TYPE_NOTIFY_DELETEEXTATTR, [&](es_message_t& message, Memory& memory) {
           message.event.deleteextattr = {memory.File(place), memory.Text("com.apple.quarantine")};
         }) == List{place, inode, "com.apple.quarantine"}));
  CHECK((told(EsKind::kMount, ES_EVENT_TYPE_NOTIFY_MOUNT, [&](es_message_t& message, Memory& memory) {
           auto* volume = memory.New<struct statfs>();
           // Filled to the last byte: no NUL ends it.
           std::memset(volume->f_mntonname, 'm', sizeof volume->f_mntonname);
           volume->f_mntonname[0] = '/';
           std::memcpy(volume->f_mntfromname, "/dev/disk9", 11);
           message.event.mount.statfs = volume;
         }) == List{"/" + std::string(1'023, 'm'), "0", "/dev/disk9"}));

  // What did not happen, or changed nothing, is counted and not told.
  Send(Event(ES_EVENT_TYPE_NOTIFY_CREATE, [](es_message_t& message, Memory& memory) {
    message.event.create.destination_type = ES_DESTINATION_TYPE_NEW_PATH;
    message.event.create.destination.new_path = {memory.File("/Library"), memory.Text("x")};
  }));
  Send(Event(ES_EVENT_TYPE_NOTIFY_CLOSE, [&](es_message_t& message, Memory& memory) {
    message.event.close = {false, memory.File(place), false};
  }));
  for (const uint32_t version : {5u, 6u})
    Send(Event(ES_EVENT_TYPE_NOTIFY_CLOSE, [&](es_message_t& message, Memory& memory) {
      message.event.close = {false, memory.File(place), true};
    }, version));
  CHECK(running.Take().size() == 1 && running.counters().filtered == 3);
  Send(Event(ES_EVENT_TYPE_NOTIFY_UNLINK, [&](es_message_t& message, Memory& memory) {
    message.event.unlink = {memory.File(place), memory.File("/Library/LaunchAgents")};
    message.action.notify = {ES_RESULT_TYPE_AUTH, {ES_AUTH_RESULT_DENY}};
  }));
  Send(Event(ES_EVENT_TYPE_NOTIFY_OPEN, [&](es_message_t& message, Memory& memory) {
    message.event.open = {2, memory.File(place)};
    message.action.notify.result_type = ES_RESULT_TYPE_FLAGS;
    message.action.notify.result.flags = 0;
  }));
  CHECK(running.Take().empty() && running.counters().denied == 2);
}

void LaunchItems() {
  Running running;
  const auto add = [](es_message_t& message, Memory& memory) {
    auto* event = memory.New<es_event_btm_launch_item_add_t>();
    event->instigator = memory.Process(77, "/usr/sbin/installer");
    event->item = memory.New<es_btm_launch_item_t>();
    event->item->item_type = ES_BTM_ITEM_TYPE_DAEMON;
    event->item->legacy = true;
    event->item->item_url = memory.Text("file:///Library/LaunchDaemons/x.plist");
    event->executable_path = memory.Text("/opt/x");
    message.event.btm_launch_item_add = event;
  };
  Send(Event(ES_EVENT_TYPE_NOTIFY_BTM_LAUNCH_ITEM_ADD, add));
  const Unpacked added = running.One(EsKind::kBtmAdd);
  CHECK(added.numbers[kDetail] == 4 && added.numbers[kSubject + kProcessNumbers] == 77);
  CHECK((List(added.strings.end() - 3, added.strings.end()) == List{"file:///Library/LaunchDaemons/x.plist", "", "/opt/x"}));
  Send(Event(ES_EVENT_TYPE_NOTIFY_BTM_LAUNCH_ITEM_REMOVE, [](es_message_t& message, Memory& memory) {
    auto* event = memory.New<es_event_btm_launch_item_remove_t>();
    event->item = nullptr;
    message.event.btm_launch_item_remove = event;
  }));
  CHECK(running.One(EsKind::kBtmRemove).strings.size() == kProcessTexts + 3);
}

// Bootstrap check-in, laid out as SDK 27 has it, whichever SDK this is built with.
void CheckIns() {
  struct CheckIn {
    es_process_t* instigator;
    audit_token_t token;
    es_string_token_t service;
  };
  std::optional<Running> running(std::in_place);
  for (const bool gone : {false, true}) {
    Send(Event(kCheckIn, [&](es_message_t& message, Memory& memory) {
      message.process = memory.Process(1, "/sbin/launchd");
      auto* event = memory.New<CheckIn>();
      event->token = scripted::TokenOf(321, 9);
      if (!gone) event->instigator = memory.Process(321, "/opt/helper", 9);
      event->service = memory.Text("com.example.helper\xff");
      message.event.of_user_space = event;
    }, 11));
    const Unpacked told = running->One(EsKind::kBootstrapCheckIn);
    const size_t instigator = kSubject + kProcessNumbers;
    CHECK(told.numbers[kSubject] == 1 && told.numbers[instigator] == 321 && told.numbers[instigator + 1] == 9);
    CHECK(told.numbers[instigator + 2] == 501 && told.numbers[instigator + 3] == 0);
    CHECK(told.strings[kProcessTexts] == (gone ? "" : "/opt/helper") && told.strings.back() == "com.example.helper\xff");
    CHECK(std::isnan(told.numbers[instigator + kStart]) == gone);
  }
  Send(Event(kCheckIn, nullptr, 11));
  CHECK(running->One(EsKind::kBootstrapCheckIn).strings.back().empty());
  CHECK(running->counters().kinds_refused == 0 && running->counters().newer_version == 0);

  running.reset();

  // A system that does not know it: everything else is there.
  Running old(Security{.newest_type = 147});
  CHECK(old.result == EsResult::kSuccess && old.counters().kinds_refused == 1);
  Send(Event(kCheckIn, nullptr));
  Send(Exec(500, 8, {"a"}));
  CHECK(old.Take().size() == 1);
}

// By the numbers of each type, and by those of all where a message has them.
void Dropped() {
  std::optional<Running> running(std::in_place);
  const auto exit = [](uint64_t skip, uint32_t version) {
    return scripted::Sent{.type = ES_EVENT_TYPE_NOTIFY_EXIT, .skip = skip, .version = version, .fill = nullptr};
  };
  Send(exit(0, 10));
  Send(exit(5, 10));
  scripted::Sent exec = Exec(1, 2, {"a"});
  Send(exec);
  exec.skip = 3;
  Send(exec);
  const EsCounters& counters = running->counters();
  CHECK(counters.kernel_dropped == 8 && counters.kernel_dropped_by_kind[static_cast<size_t>(EsKind::kExit)] == 5);
  CHECK(counters.kernel_dropped_by_kind[static_cast<size_t>(EsKind::kExec)] == 3);
  // The first of a type: only the number of all tells.
  scripted::Sent first = exit(4, 10);
  first.type = ES_EVENT_TYPE_NOTIFY_BTM_LAUNCH_ITEM_ADD;
  first.fill = [](es_message_t& message, Memory& memory) {
    message.event.btm_launch_item_add = memory.New<es_event_btm_launch_item_add_t>();
  };
  Send(first);
  CHECK(counters.kernel_dropped == 12 && counters.kernel_dropped_by_kind[static_cast<size_t>(EsKind::kBtmAdd)] == 0);

  // Version 3 has no number of all, version 1 none at all: its bytes are not read.
  running.emplace();
  Send(exit(0, 3));
  Send(exit(6, 3));
  CHECK(running->counters().kernel_dropped == 6);
  running.emplace();
  Send(exit(0, 1));
  Send(exit(6, 1));
  CHECK(running->counters().kernel_dropped == 0);
}

// Types and versions that nobody knows here: counted, named, and no loss.
void Unknown() {
  Running running;
  // As if the library sent what was not asked for.
  const auto unasked = [](uint32_t type, uint32_t version) {
    return Event(ES_EVENT_TYPE_NOTIFY_EXIT, [type](es_message_t& message, Memory&) {
      message.event_type = static_cast<es_event_type_t>(type);
      std::memset(&message.event, 0xff, sizeof message.event);
    }, version);
  };
  const auto exit = Event(ES_EVENT_TYPE_NOTIFY_EXIT, nullptr);
  Send(exit);
  for (const uint32_t type : {158u, 161u, 161u, 3'999u}) Send(unasked(type, 10));
  CHECK(running.Take().size() == 1 && running.counters().unknown == 4 && running.counters().received == 5);
  const std::map<uint32_t, uint64_t> types = running.client().UnknownTypes();
  CHECK(types.size() == 3 && types.at(161) == 2);
  CHECK(running.counters().kernel_dropped == 0 && running.counters().newer_version == 0);
  for (uint32_t type = 1'000; type < 2'000; type++) Send(unasked(type, 12));
  CHECK(running.client().UnknownTypes().size() == 16 && running.counters().unknown == 1'004);
  CHECK(running.counters().newer_version == 12);
  // A version that is newer only adds: what is known of it is read.
  Send(Exec(500, 8, {"a"}, 99));
  CHECK(running.Take().size() == 1 && running.counters().newer_version == 99);

  // One that waits for an answer gets it at once.
  Send(Event(ES_EVENT_TYPE_NOTIFY_EXIT, [](es_message_t& message, Memory&) {
    message.action_type = ES_ACTION_TYPE_AUTH;
    message.event_type = static_cast<es_event_type_t>(158);
  }));
  CHECK(scripted::SecurityCalls().back() == "respond allow");
}

void Refusals() {
  const std::vector<std::pair<uint32_t, EsResult>> answers{
      {1, EsResult::kInvalidArgument}, {2, EsResult::kInternal},      {3, EsResult::kNotEntitled},
      {4, EsResult::kNotPermitted},    {5, EsResult::kNotPrivileged}, {6, EsResult::kTooManyClients},
      {7, EsResult::kUnknown},         {4'000'000'000, EsResult::kUnknown}};
  for (const auto& [answer, result] : answers) {
    CHECK(Running(Security{.connect = {answer}}).result == result);
    // The second client is refused: the first is closed.
    Running second(Security{.connect = {0, answer}});
    CHECK(second.result == result && scripted::SecurityCalls().back() == "delete" && scripted::SecurityAlive() == 0);
  }
  CHECK(Running(Security{.no_client = true}).result == EsResult::kUnknown);
  CHECK(Running(Security{.subscribe_fails = true}).result == EsResult::kSubscribeFailed);
  for (const Security& script : {Security{.clear_fails = true}, Security{.invert_fails = true}})
    CHECK(Running(script).result == EsResult::kMutingFailed && scripted::SecurityAlive() == 0);
  // Not to be able to mute oneself, or one path, costs events; it is counted.
  for (const Security& script : {Security{.no_token = true}, Security{.mute_process_fails = true}}) {
    Running noisy(script);
    CHECK(noisy.result == EsResult::kSuccess && noisy.counters().muting_failed == 2);
  }
  {
    Running running(Security{.refused_paths = {"/Library/LaunchAgents/", "/Users/a/"}});
    CHECK(running.result == EsResult::kSuccess && running.counters().muting_failed == 1);
    CHECK(!running.client().SetTargets({{EsTarget::kPrefix, "/Users/a/"}, {EsTarget::kPrefix, "/Users/b/"}}));
    CHECK(running.counters().muting_failed == 2);
    const List calls = scripted::SecurityCalls();
    // New ones first.
    CHECK((List(calls.end() - 4, calls.end()) == List{"mute prefix /Users/a/", "mute prefix /Users/b/",
                                                      "unmute prefix /Library/LaunchAgents/", "unmute literal /Library/LaunchAgents"}));
  }
  // es_delete_client refuses: said, and the client leaks, as it must.
  Running stuck(Security{.delete_fails = true});
  CHECK(!stuck.client().Stop());
  scripted::SetSecurity({});
}

// Ended while messages come, and afterwards: none is read once its memory is gone, none is told after the end.
void Ends() {
  for (const bool late : {false, true})
    for (int round = 0; round < 50; round++) {
      auto running = std::make_unique<Running>(Security{.late = late});
      std::atomic<bool> over{false};
      std::thread system([&] {
        while (!over) Send(Exec(500, 8, {"launchctl", "load"}));
      });
      if (round % 2 == 0) CHECK(Eventually([&] { return running->counters().received > 3; }));
      CHECK(running->client().Stop());
      const uint64_t queued = running->counters().queued;
      if (late) CHECK(Eventually([&] { return running->counters().after_stop > 0; }));
      CHECK(running->counters().queued == queued);
      running->Take();
      // The handler of a client that is gone is called into what it keeps alive itself.
      running.reset();
      if (late) Send(Exec(501, 8, {"a"}));
      over = true;
      system.join();
      scripted::SetSecurity({});
      CHECK(scripted::SecurityAlive() == 0);
    }
  // Deleted on another thread than the one that made it: the library refuses, and it is said.
  Running running;
  std::thread other([&] { CHECK(!running.client().Stop()); });
  other.join();
  scripted::SetSecurity({});
}

// Two queues at once, while targets are replaced.
void Threads() {
  Running running;
  std::vector<std::thread> senders;
  for (int sender = 0; sender < 3; sender++)
    senders.emplace_back([] {
      for (int index = 0; index < 2'000; index++) {
        Send(Exec(500 + index, 8, {"launchctl", "load"}));
        Send(Event(ES_EVENT_TYPE_NOTIFY_CLOSE, [](es_message_t& message, Memory& memory) {
          message.event.close = {true, memory.File("/Library/LaunchAgents/a"), false};
        }));
        // One of a type that nobody knows, on either queue.
        Send(Event(index % 2 == 0 ? ES_EVENT_TYPE_NOTIFY_EXIT : ES_EVENT_TYPE_NOTIFY_UNLINK, [](es_message_t& message, Memory&) {
          message.event_type = static_cast<es_event_type_t>(161);
        }, 12));
      }
    });
  for (int round = 0; round < 50; round++)
    CHECK(running.client().SetTargets({{EsTarget::kPrefix, "/Users/" + std::to_string(round) + "/"}}));
  for (std::thread& sender : senders) sender.join();
  CHECK(running.Take().size() == 12'000 && running.counters().unknown == 6'000 && running.counters().kernel_dropped == 0);
}

}  // namespace

void EndpointSecurityChecks() {
  for (const auto& check : {Order, Execs, Files, LaunchItems, CheckIns, Dropped, Unknown, Refusals, Ends, Threads}) {
    check();
    scripted::SetSecurity({});
    CHECK(scripted::SecurityAlive() == 0);
  }
}
