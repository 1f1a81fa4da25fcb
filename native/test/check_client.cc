// The EndpointSecurity client on the scripted double.
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "check.h"
#include "core/channel.h"
#include "double/es_double.h"
#include "es/client.h"
#include "es/make_api.h"

using namespace launchwarden;

namespace {

ScriptedMessage Exec(int pid) {
  ScriptedMessage one;
  one.message.kind = EsKind::kExec;
  one.message.version = 7;
  one.message.process.token = {pid, 1};
  one.message.process.executable = one.Keep("/bin/launchctl");
  one.arguments = {one.Keep("launchctl"), one.Keep("load")};
  return one;
}

std::shared_ptr<std::vector<ScriptedMessage>> Script(std::vector<ScriptedMessage> given) {
  auto script = std::make_shared<std::vector<ScriptedMessage>>(std::move(given));
  for (ScriptedMessage& one : *script) {
    one.message.argument_count = one.arguments.size();
    one.message.argument_source = &one;
    one.message.argument = [](const void* source, size_t index) {
      return static_cast<const ScriptedMessage*>(source)->arguments[index];
    };
  }
  return script;
}

}  // namespace

void Clients() {
  EsPlan plan;
  plan.process_kinds = {EsKind::kExec, EsKind::kExit};
  plan.file_kinds = {EsKind::kClose, EsKind::kRename};
  plan.targets = {{EsTarget::kPrefix, "/Library/LaunchAgents/"}};

  EsDouble system(EsScript{});
  auto channel = std::make_shared<Channel>(64 << 20, [] {});
  auto client = std::make_unique<EsClient>(system.Api(), channel);
  CHECK(client->Start(plan) == EsResult::kSuccess);

  std::vector<ScriptedMessage> messages;
  messages.push_back(Exec(10));
  ScriptedMessage close;
  close.message.kind = EsKind::kClose;
  close.message.version = 7;
  close.message.modified = true;
  close.message.has_file = true;
  close.message.file.path = close.Keep("/Library/LaunchAgents/x.plist");
  messages.push_back(std::move(close));
  ScriptedMessage elsewhere;
  elsewhere.message.kind = EsKind::kClose;
  elsewhere.message.version = 7;
  elsewhere.message.modified = true;
  elsewhere.message.has_file = true;
  elsewhere.message.file.path = elsewhere.Keep("/private/tmp/x");
  messages.push_back(std::move(elsewhere));
  ScriptedMessage rename;
  rename.message.kind = EsKind::kRename;
  rename.message.version = 7;
  rename.message.directory = rename.Keep("/");
  rename.message.name = rename.Keep("x");
  rename.message.has_other = true;
  rename.message.other.path = rename.Keep("/Library/LaunchAgents/y");
  messages.push_back(std::move(rename));

  // While it plays, targets are replaced from this thread.
  system.Play(Script(std::move(messages)), 20'000);
  for (int round = 0; round < 50; round++) {
    auto targets = plan.targets;
    targets.emplace(EsTarget::kPrefix, "/Users/" + std::to_string(round) + "/");
    CHECK(client->SetTargets(targets));
  }
  CHECK(Eventually([&] { return !system.Playing(); }));
  CHECK(client->counters().received == 60'000 && client->counters().queued == 60'000);
  CHECK(client->counters().kernel_dropped == 0);
  std::vector<uint8_t> batch;
  size_t records = 0;
  bool joined = false;
  while (channel->Take(batch))
    for (const auto& record : Unpack(batch)) {
      records++;
      if (record.kind == EsClient::kRecordBase + static_cast<int>(EsKind::kRename)) joined = record.strings[4] == "/x";
    }
  CHECK(records == 60'000 && joined);

  // Ended in the middle of a play.
  std::vector<ScriptedMessage> endless;
  endless.push_back(Exec(11));
  system.Play(Script(std::move(endless)), 1'000'000'000);
  CHECK(Eventually([&] { return client->counters().received > 61'000; }));
  CHECK(client->Stop());
  const uint64_t received = client->counters().received;
  client.reset();
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  CHECK(received > 61'000);
  system.Halt();

  // A system that calls a handler after its client was closed and freed.
  EsScript late;
  late.late = true;
  EsDouble rude(late);
  auto second = std::make_unique<EsClient>(rude.Api(), std::make_shared<Channel>(1 << 20, [] {}));
  CHECK(second->Start(plan) == EsResult::kSuccess);
  std::vector<ScriptedMessage> more;
  more.push_back(Exec(12));
  rude.Play(Script(std::move(more)), 200'000);
  second.reset();
  CHECK(Eventually([&] { return !rude.Playing(); }));

  // The second client is refused: the first is closed, and nothing is left.
  EsScript refusing;
  refusing.connect = {EsResult::kSuccess, EsResult::kTooManyClients};
  EsDouble refused(refusing);
  EsClient third(refused.Api(), std::make_shared<Channel>(1 << 20, [] {}));
  CHECK(third.Start(plan) == EsResult::kTooManyClients);
  CHECK(refused.Calls().back() == "close");

  EsClient none(MakeEsApi(), std::make_shared<Channel>(1 << 20, [] {}));
  CHECK(none.Start(plan) == EsResult::kUnsupported);
}
