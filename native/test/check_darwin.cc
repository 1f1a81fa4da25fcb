// The unchanged macOS sources (src/darwin) over a scripted kernel and scripted FSEvents (test/darwin), under the
// sanitizers: scripts/check-darwin-run.mjs. What it proves: parsing, states, error paths, races, as XNU's sources say that
// the system behaves. What it does not: layouts of structures, timing, rights, that a Mac behaves so.
#include <libproc.h>
#include <sys/event.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "core/channel.h"
#include "darwin/core_services.h"
#include "darwin/kernel.h"
#include "fsevents/fs_source.h"
#include "scan/clocks.h"
#include "scan/pause.h"
#include "scan/process_reader.h"
#include "scan/scanner.h"

using namespace launchwarden;
using scripted::Kernel;
using scripted::Process;

namespace {

using List = std::vector<std::string>;

std::unique_ptr<ProcessReader> Reader(const std::function<void(Kernel&)>& script = [](Kernel&) {}) {
  scripted::Reset();
  scripted::With([&](Kernel& kernel) {
    kernel.processes[1] = {.path = "/sbin/launchd", .name = "launchd", .arguments = {"/sbin/launchd"}};
    script(kernel);
  });
  auto reader = MakeProcessReader();
  CHECK(reader->Open().empty());
  return reader;
}

ProcessFacts Facts(ProcessReader& reader, int pid, Seen expected = Seen::kProcess) {
  ProcessFacts facts;
  CHECK(reader.Read(pid, facts) == expected);
  return facts;
}

void ArgumentAreas() {
  // The path is padded with NULs to a multiple of eight, and the first arguments may be empty.
  for (size_t length = 1; length <= 17; length++) {
    for (const List& arguments : {List{"x"}, List{"", "a", ""}, List{"", "", ""}, List{}, List{"a b", "\n", "\xff\xfe"},
                                  List{std::string(3'000, 'y'), "load"}}) {
      auto reader = Reader([&](Kernel& kernel) {
        kernel.processes[50] = {.path = "/" + std::string(length - 1, 'p'), .arguments = arguments};
      });
      const ProcessFacts facts = Facts(*reader, 50);
      CHECK(facts.arguments_known && !facts.arguments_withheld);
      CHECK(facts.arguments.kept == arguments && facts.arguments.count == arguments.size());
    }
  }
  const auto raw = [](const std::string& area) {
    auto reader = Reader([&](Kernel& kernel) { kernel.processes[50] = {.area = area}; });
    return Facts(*reader, 50);
  };
  const auto counted = [](int count, const std::string& rest) {
    return std::string(reinterpret_cast<const char*>(&count), sizeof count) + rest;
  };
  using namespace std::string_literals;
  CHECK(!raw("\1"s).arguments_known);
  CHECK(!raw(counted(1, "")).arguments_known);
  CHECK(!raw(counted(1, "no end")).arguments_known);
  CHECK(!raw(counted(-1, "/bin/a\0\0a\0"s)).arguments_known);
  // More arguments than there is text: what is there, and nothing behind it.
  CHECK(raw(counted(1 << 30, "/bin/a\0\0a\0b\0"s)).arguments.kept == (List{"a", "b"}));
  CHECK(raw(counted(0, "/bin/a\0\0ENV=1\0"s)).arguments.kept.empty());

  // An area that fills the buffer may be only the end of one: unknown, never the wrong arguments.
  for (const int more : {-1, 0, 1, 5'000}) {
    auto reader = Reader([&](Kernel& kernel) {
      Process& process = kernel.processes[50] = {.arguments = {"launchctl", "load", "/x.plist"}};
      process.environment = {"A=1"};
      const int size = static_cast<int>(scripted::Area(process).size());
      process.environment = {"A=1" + std::string(static_cast<size_t>(kernel.argument_max - size + more), 'e')};
    });
    const ProcessFacts facts = Facts(*reader, 50);
    CHECK(facts.arguments_withheld == (more >= 0));
    CHECK(more >= 0 ? !facts.arguments_known : facts.arguments.kept == (List{"launchctl", "load", "/x.plist"}));
  }

  auto denied = Reader([](Kernel& kernel) { kernel.processes[50] = {.arguments_denied = true}; });
  const ProcessFacts facts = Facts(*denied, 50);
  CHECK(!facts.arguments_known && facts.executable == "/bin/one");
}

void Order() {
  // The arguments are gone soonest, and a folder on a hung volume is waited for: it comes last.
  auto reader = Reader([](Kernel& kernel) { kernel.processes[50] = {}; });
  List calls;
  scripted::With([&](Kernel& kernel) { kernel.before = [&](const char* call, int) { calls.push_back(call); }; });
  Facts(*reader, 50);
  const auto at = [&](const char* call) { return std::find(calls.begin(), calls.end(), call) - calls.begin(); };
  CHECK(at("arguments") < at("path") && at("path") < at("folder"));
}

void Changes() {
  // Another program in its place between two calls: all parts are of one image.
  for (const char* const when : {"arguments", "path", "folder", "version"}) {
    auto reader = Reader([](Kernel& kernel) { kernel.processes[50] = {.path = "/bin/sh", .arguments = {"sh"}}; });
    scripted::With([&](Kernel& kernel) {
      kernel.before = [&, done = false](const char* call, int pid) mutable {
        if (done || std::string(call) != when || pid != 50) return;
        done = true;
        scripted::With([](Kernel& inner) {
          Process& process = inner.processes[50];
          process.path = "/bin/launchctl";
          process.arguments = {"launchctl", "load", "/x"};
          process.version++;
        });
      };
    });
    const ProcessFacts facts = Facts(*reader, 50);
    CHECK((facts.executable == "/bin/launchctl") == (facts.arguments.kept.size() == 3));
    CHECK(facts.executable == "/bin/launchctl");
  }

  // It ends between two calls: what was read counts, or there is nothing to read.
  for (const char* const when : {"info", "version", "arguments", "path", "folder"}) {
    for (const bool zombie : {false, true}) {
      auto reader = Reader([](Kernel& kernel) { kernel.processes[50] = {}; });
      scripted::With([&](Kernel& kernel) {
        kernel.before = [&](const char* call, int pid) {
          if (std::string(call) != when || pid != 50) return;
          scripted::With([&](Kernel& inner) {
            if (zombie) inner.processes[50].zombie = true;
            else inner.processes.erase(50);
          });
        };
      });
      ProcessFacts facts;
      const Seen seen = reader->Read(50, facts);
      CHECK(seen == (std::string(when) == "info" && !zombie ? Seen::kGone : Seen::kProcess));
      if (seen == Seen::kProcess && zombie && std::string(when) == "info") CHECK(facts.dead && facts.short_name == "one");
    }
  }

  // Its number goes to another process meanwhile.
  auto reader = Reader([](Kernel& kernel) { kernel.processes[50] = {}; });
  scripted::With([](Kernel& kernel) {
    kernel.before = [done = false](const char* call, int) mutable {
      if (done || std::string(call) != "folder") return;
      done = true;
      scripted::With([](Kernel& inner) {
        inner.processes[50] = {.start_s = 2'000, .path = "/bin/other", .name = "other", .arguments = {"other"}, .version = 9};
      });
    };
  });
  const ProcessFacts facts = Facts(*reader, 50);
  CHECK(facts.executable == "/bin/other" && facts.arguments.kept == List{"other"} && facts.start == 2'000'000'005u);
}

void Rights() {
  auto reader = Reader([](Kernel& kernel) {
    kernel.processes[60] = {.ppid = 9, .group = 8, .uid = 502, .euid = 0, .gid = 30, .egid = 31, .denied = true, .name = "others"};
    kernel.processes[61] = {.zombie = true, .denied = true};
    kernel.processes[62] = {.zombie = true, .name = "dead"};
    kernel.processes[63] = {.execed = false};
  });
  const ProcessFacts other = Facts(*reader, 60);
  CHECK(other.ppid == 9 && other.pgid == 8 && other.uid == 502 && other.euid == 0 && other.gid == 30 && other.egid == 31);
  CHECK(other.start_us == 1'000'000'005 && other.short_name == "others" && other.execed && other.directory.empty());
  CHECK(Facts(*reader, 61).dead);
  const ProcessFacts dead = Facts(*reader, 62);
  CHECK(dead.dead && dead.short_name == "dead" && !dead.arguments_known && dead.executable.empty());
  CHECK(!Facts(*reader, 63).execed);
  Facts(*reader, 64, Seen::kGone);
  Facts(*reader, 0, Seen::kOther);

  // Without a version the path tells the image; one that cannot be had is no stamp.
  auto old = Reader([](Kernel& kernel) {
    kernel.no_versions = true;
    kernel.processes[50] = {};
    kernel.processes[51] = {.path = ""};
  });
  ProcessGlance one, two;
  CHECK(old->Glance(50, one) == Seen::kProcess && one.image_stamp != 0);
  scripted::With([](Kernel& kernel) { kernel.processes[50].path = "/bin/two"; });
  CHECK(old->Glance(50, two) == Seen::kProcess && two.image_stamp != one.image_stamp);
  CHECK(old->Glance(51, two) == Seen::kProcess && two.image_stamp == 0);
}

void Lists() {
  auto reader = Reader([](Kernel& kernel) {
    for (int pid = 100; pid < 110; pid++) kernel.processes[pid] = {};
  });
  std::vector<int> pids;
  CHECK(reader->Births(pids) && pids.size() == 11);
  pids.clear();
  CHECK(reader->Births(pids) && pids.empty());
  // In another order, and one ended: nobody was born.
  scripted::With([](Kernel& kernel) {
    kernel.reversed = true;
    kernel.processes.erase(105);
  });
  CHECK(reader->Births(pids) && pids.empty());
  scripted::With([](Kernel& kernel) { kernel.processes[105] = kernel.processes[90] = {}; });
  CHECK(reader->Births(pids) && (pids == std::vector<int>{90, 105}));
  // A list that cannot be had says nothing: not that everybody has ended.
  pids.clear();
  scripted::With([](Kernel& kernel) { kernel.failing_lists = 2; });
  CHECK(!reader->Births(pids) && !reader->List(pids) && pids.empty());
  CHECK(reader->Births(pids) && pids.empty());
  // More than the buffer holds.
  scripted::With([](Kernel& kernel) {
    for (int pid = 1'000; pid < 9'000; pid++) kernel.processes[pid] = {};
  });
  CHECK(reader->Births(pids) && pids.size() == 8'000);
}

void Pauses() {
  Reader([](Kernel& kernel) {
    for (int pid = 50; pid < 60; pid++) kernel.processes[pid] = {};
  });
  auto pause = MakePause();
  CHECK(pause->Tells() && pause->Watch(50) && pause->Watch(51) && pause->Errors() == 0);
  // One that is gone is no error.
  CHECK(!pause->Watch(77) && pause->Errors() == 0);
  Told told;
  scripted::Tell(50, NOTE_FORK);
  scripted::Tell(50, NOTE_FORK | NOTE_EXEC);
  scripted::Tell(51, NOTE_FORK);
  const int64_t start = SteadyUs();
  pause->Wait(start + 5'000'000, told);
  CHECK(SteadyUs() - start < 4'000'000);
  CHECK((told.forked == std::vector<int>{50, 51}) && told.execed == std::vector<int>{50});

  // The end of a process, which nobody asked for, does not end the wait; a signal neither.
  told.Clear();
  scripted::Tell(51, NOTE_EXIT);
  scripted::With([](Kernel& kernel) { kernel.interrupted_waits = 3; });
  const int64_t until = SteadyUs() + 30'000;
  pause->Wait(until, told);
  CHECK(SteadyUs() >= until && !told.Any());
  // Its number has another owner: watched anew.
  CHECK(pause->Watch(51) && scripted::Watched() == 2 && pause->Errors() == 0);
  CHECK(pause->Watch(51) && scripted::Watched() == 2);

  // An interruption from another thread, also one that comes before the wait.
  for (int round = 0; round < 200; round++) {
    std::thread other([&] { pause->Interrupt(); });
    pause->Wait(SteadyUs() + 10'000'000, told);
    other.join();
  }
  pause->Interrupt();
  const int64_t now = SteadyUs();
  pause->Wait(now + 10'000'000, told);
  CHECK(SteadyUs() - now < 5'000'000);

  // A queue that breaks: it goes on as a plain wait, and says that it tells no more.
  scripted::With([](Kernel& kernel) { kernel.broken_kqueue = true; });
  // The first may end at once, by an interruption that the plain wait had not taken.
  pause->Wait(SteadyUs(), told);
  const int64_t plain = SteadyUs() + 20'000;
  pause->Wait(plain, told);
  CHECK(SteadyUs() >= plain && !pause->Tells() && pause->Errors() == 1 && !pause->Watch(52));
  scripted::With([](Kernel& kernel) { kernel.no_kqueue = true; });
  CHECK(!MakePause()->Tells());
}

// The whole scanner over the scripted kernel: what is born on another thread is reported once, under its own program.
void Scanning() {
  for (const bool told : {true, false}) {
    Reader();
    std::atomic<int> wakes{0};
    auto channel = std::make_shared<Channel>(32 << 20, [&] { wakes++; }, WakeAt::kFlush);
    ScannerOptions options;
    options.period_us = options.quiet_period_us = 1'000;
    auto scanner = std::make_shared<Scanner>(ThisSystem(), channel, options);
    CHECK(scanner->Start().empty());
    std::map<std::string, int> seen;
    std::vector<uint8_t> batch;
    const auto take = [&] {
      while (channel->Take(batch))
        for (const Unpacked& record : Unpack(batch))
          if (record.kind == Scanner::kExec) seen[record.strings[2]]++;
    };
    constexpr int kBirths = 300;
    std::thread mother([&] {
      for (int index = 0; index < kBirths; index++) {
        const int pid = 1'000 + index;
        const std::string path = "/bin/child" + std::to_string(index);
        scripted::With([&](Kernel& kernel) {
          kernel.processes[pid] = {.start_s = 5'000 + static_cast<uint64_t>(index), .execed = false, .path = "/sbin/launchd", .name = "launchd"};
        });
        if (told) scripted::Tell(1, NOTE_FORK);
        std::this_thread::sleep_for(std::chrono::microseconds(300));
        scripted::With([&](Kernel& kernel) {
          Process& child = kernel.processes[pid];
          child.execed = true;
          child.path = path;
          child.arguments = {path, "load"};
          child.version++;
        });
        if (told) scripted::Tell(pid, NOTE_EXEC);
        std::this_thread::sleep_for(std::chrono::microseconds(300));
      }
    });
    CHECK(Eventually([&] {
      take();
      return seen.size() == kBirths;
    }));
    mother.join();
    CHECK(scanner->Stop());
    take();
    for (const auto& [path, count] : seen) CHECK(count == 1 && path.rfind("/bin/child", 0) == 0);
  }
}

void FileEvents() {
  const auto taken = [](Channel& channel) {
    std::vector<Unpacked> all;
    std::vector<uint8_t> batch;
    while (channel.Take(batch))
      for (Unpacked& one : Unpack(batch)) all.push_back(std::move(one));
    return all;
  };
  const FsPlan plan{{"/Library", "/Users"}, {"/Library/LaunchAgents"}, 41};
  {
    scripted::SetStreams({});
    auto channel = std::make_shared<Channel>(1 << 20, [] {});
    FsSource source(MakeFsApi(), channel);
    CHECK(source.History("/") == "6D2E3C0E-9B5D-4D2F-8F38-0123456789AB" && source.History("/none/there").empty());
    CHECK(source.Start(plan).empty());
    // FileEvents, WatchRoot and NoDefer; from the id that was remembered; on a queue before it starts.
    CHECK((scripted::StreamCalls() == List{"create /Library,/Users 41 22", "queue", "start"}));
    CHECK(scripted::Deliver({{"/Library/LaunchAgents/a.plist", 0x100, 1042},
                             {"/Library/Caches/x", 0x100, 1043},
                             {"/private/tmp", kFsKernelDropped, 1044},
                             {"", 0, 1045, true}}));
    scripted::Drain();
    const auto records = taken(*channel);
    CHECK(records.size() == 3 && records[0].strings[1] == "/Library/LaunchAgents/a.plist" && records[0].numbers[0] == 0x100);
    CHECK(records[1].numbers[0] == double{kFsKernelDropped} && records[2].strings[1] == "/" && records[2].numbers[0] == double{kFsMustScanSubDirs});
    CHECK(source.Flush() == 1'045 && source.CurrentId() == 1'045 && source.counters().lost == 1);
    source.Stop();
    CHECK(!scripted::Deliver({{"/Library/LaunchAgents/b", 0, 46}}) && taken(*channel).empty());
    CHECK((scripted::StreamCalls() == List{"create /Library,/Users 41 22", "queue", "start", "stop", "invalidate"}));
  }
  CHECK(scripted::Alive() == 0);

  // Stopped while its callback runs, again and again: nothing is called afterwards, nothing is left behind.
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
    CHECK(scripted::Alive() == 0);
  }

  for (const scripted::Streams& script : {scripted::Streams{.create_fails = true}, {.start_fails = true}, {.no_array = true}}) {
    scripted::SetStreams(script);
    FsSource source(MakeFsApi(), std::make_shared<Channel>(1 << 20, [] {}));
    CHECK(!source.Start(plan).empty());
  }
  scripted::SetStreams({.no_history = true});
  CHECK(MakeFsApi()->History("/").empty());
  CHECK(scripted::Alive() == 0);
}

}  // namespace

int main() {
  ArgumentAreas();
  Order();
  Changes();
  Rights();
  Lists();
  Pauses();
  Scanning();
  FileEvents();
  std::printf("%d checks passed\n", checks);
  return 0;
}
