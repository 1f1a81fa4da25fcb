// The source of file events over scripted FSEvents.
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "check_darwin.h"
#include "core/channel.h"
#include "darwin/core_services.h"
#include "fsevents/fs_source.h"

using namespace launchwarden;

namespace {

using List = std::vector<std::string>;

const FsPlan plan{{"/Library", "/Users"}, {"/Library/LaunchAgents"}, 41};
const List opened{"create /Library,/Users 41 22", "queue", "start"};

std::vector<Unpacked> Taken(Channel& channel) {
  std::vector<Unpacked> all;
  std::vector<uint8_t> batch;
  while (channel.Take(batch))
    for (Unpacked& one : Unpack(batch)) all.push_back(std::move(one));
  return all;
}

void OneStream() {
  scripted::SetStreams({});
  auto channel = std::make_shared<Channel>(1 << 20, [] {});
  FsSource source(MakeFsApi(), channel);
  CHECK(source.History("/") == "6D2E3C0E-9B5D-4D2F-8F38-0123456789AB" && source.History("/none/there").empty());
  CHECK(source.Start(plan).empty());
  // FileEvents, WatchRoot and NoDefer; from the id that was remembered; on a queue before it starts.
  CHECK(scripted::StreamCalls() == opened);
  CHECK(scripted::Deliver({{"/Library/LaunchAgents/a.plist", 0x100, 1042},
                           {"/Library/Caches/x", 0x100, 1043},
                           {"", 0, 1045, true}}));
  scripted::Drain();
  const auto records = Taken(*channel);
  CHECK(records.size() == 2 && records[0].strings[1] == "/Library/LaunchAgents/a.plist" && records[0].numbers[0] == 0x100);
  CHECK(records[1].strings[1] == "/" && records[1].numbers[0] == double{kFsMustScanSubDirs});
  CHECK(source.Flush() == 1'045 && source.CurrentId() == 1'045);

  // Folders come and go, and what is above them: the stream stays the one that it was.
  for (uint64_t id = 2'000; id < 4'000; id++)
    CHECK(scripted::Deliver({{"/Library/LaunchAgents/f" + std::to_string(id % 7), id % 2 == 0 ? 0x20100u : 0x20200u, id}}));
  CHECK(scripted::Deliver({{"/Library", kFsRootChanged, 0}, {"/Library/LaunchAgents", 0x20100, 4'000}}));
  scripted::Drain();
  CHECK(Taken(*channel).size() == 2'002 && scripted::StreamCalls() == opened);

  source.Stop();
  CHECK(!scripted::Deliver({{"/Library/LaunchAgents/b", 0, 46}}) && Taken(*channel).empty());
  List closed = opened;
  closed.insert(closed.end(), {"stop", "invalidate"});
  CHECK(scripted::StreamCalls() == closed);
}

// What each flag comes to, on a path that is wanted, on one on the way to it, and on one that is not.
void Flags() {
  struct Case {
    uint32_t flag;
    bool loses, everywhere;
  };
  for (const Case& one : {Case{kFsMustScanSubDirs, false, false},
                          {kFsUserDropped, true, true},
                          {kFsKernelDropped, true, true},
                          {kFsUserDropped | kFsMustScanSubDirs, true, true},
                          {kFsKernelDropped | kFsMustScanSubDirs, true, true},
                          {kFsEventIdsWrapped, true, true},
                          {kFsHistoryDone, false, true},
                          {kFsRootChanged, false, false},
                          {kFsMount, false, false},
                          {kFsUnmount, false, false}}) {
    scripted::SetStreams({});
    auto channel = std::make_shared<Channel>(1 << 20, [] {});
    FsSource source(MakeFsApi(), channel);
    CHECK(source.Start(plan).empty());
    CHECK(scripted::Deliver({{"/Library/LaunchAgents/a.plist", one.flag, 7},
                             {"/Library", one.flag, 0},
                             {"/", one.flag, 8},
                             {"/private/tmp", one.flag, ~uint64_t{0} - 1}}));
    scripted::Drain();
    const auto records = Taken(*channel);
    CHECK(records.size() == (one.everywhere ? 4u : 3u));
    for (const Unpacked& record : records) CHECK(record.numbers[0] == static_cast<double>(one.flag));
    if (one.everywhere) CHECK(records[3].strings[0] == "18446744073709551614");
    CHECK(source.counters().lost == (one.loses ? 4u : 0u));
    CHECK(source.counters().rescans == (one.flag == kFsHistoryDone ? 0u : 4u));
  }
}

void HostilePaths() {
  scripted::SetStreams({});
  auto channel = std::make_shared<Channel>(1 << 20, [] {});
  FsSource source(MakeFsApi(), channel);
  CHECK(source.Start(plan).empty());
  const List kept{"/Library/LaunchAgents/\xff\xfe\x80.plist", "/Library/LaunchAgents/" + std::string(1'024, 'n'),
                  "/Library/LaunchAgents/a\nb\x1b[2J", "/LIBRARY/launchagents/x", "/Library//LaunchAgents//x",
                  "/Library/Launch\xc3\x84gents/x", "/Library/LaunchAgents/\xed\xa0\x80"};
  const List odd{"", "relative", "/" + std::string(5'000, 'x'), "../Library/LaunchAgents/x"};
  std::vector<scripted::Delivered> events;
  for (const List* list : {&kept, &odd})
    for (const std::string& path : *list) events.push_back({path, 0x100, 9});
  CHECK(scripted::Deliver(events));
  scripted::Drain();
  const auto records = Taken(*channel);
  CHECK(records.size() == kept.size() + odd.size() && source.counters().odd_paths == odd.size());
  for (size_t index = 0; index < records.size(); index++) {
    const bool is_odd = index >= kept.size();
    CHECK(records[index].strings[1] == (is_odd ? "/" : kept[index]));
    CHECK(records[index].numbers[0] == (is_odd ? 0x101 : 0x100));
  }
}

// More than the queue holds: what is missing is counted, exactly.
void Overflow() {
  scripted::SetStreams({});
  auto channel = std::make_shared<Channel>(128 << 10, [] {});
  FsSource source(MakeFsApi(), channel);
  CHECK(source.Start(plan).empty());
  const std::string path = "/Library/LaunchAgents/" + std::string(1'000, 'n');
  for (uint64_t id = 1; id <= 2'000; id++) CHECK(scripted::Deliver({{path, 0x100, id}}));
  scripted::Drain();
  const size_t taken = Taken(*channel).size();
  const Channel::Counters counters = channel->counters();
  CHECK(taken > 50 && taken < 200 && counters.dropped == 2'000 - taken);
  CHECK(source.counters().received == 2'000 && source.counters().queued == taken);
  CHECK(counters.dropped_by_kind[FsSource::kRecord] == counters.dropped);
  // Afterwards there is room again.
  CHECK(scripted::Deliver({{path, 0x100, 2'001}}));
  scripted::Drain();
  CHECK(Taken(*channel).size() == 1);
}

// Stopped while its callback runs, again and again: nothing is called afterwards, nothing is left behind.
void Stops() {
  for (int round = 0; round < 300; round++) {
    scripted::SetStreams({});
    auto channel = std::make_shared<Channel>(1 << 20, [] {});
    auto source = std::make_unique<FsSource>(MakeFsApi(), channel);
    CHECK(source->Start(plan).empty());
    std::thread system([&] {
      for (uint64_t id = 1; id < 50; id++) scripted::Deliver({{"/Library/LaunchAgents/a", 0x100, id}});
    });
    if (round % 3 == 0) std::this_thread::yield();
    source->Stop();
    system.join();
    source.reset();
    CHECK(Eventually([] { return scripted::Alive() == 0; }));
  }
}

void Refusals() {
  for (const scripted::Streams& script : {scripted::Streams{.create_fails = true}, {.start_fails = true}, {.no_array = true}}) {
    scripted::SetStreams(script);
    FsSource source(MakeFsApi(), std::make_shared<Channel>(1 << 20, [] {}));
    CHECK(!source.Start(plan).empty());
  }
  scripted::SetStreams({.no_history = true});
  CHECK(MakeFsApi()->History("/").empty());
}

}  // namespace

void FileEventChecks() {
  for (const auto& check : {OneStream, Flags, HostilePaths, Overflow, Stops, Refusals}) {
    check();
    CHECK(Eventually([] { return scripted::Alive() == 0; }));
  }
}
