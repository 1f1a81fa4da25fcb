// The unchanged macOS sources (src/darwin) over a scripted kernel, scripted FSEvents and a scripted EndpointSecurity
// (test/darwin), under the sanitizers: scripts/check-darwin-run.mjs. Here: processes. What it proves: parsing, states, error paths, races, as XNU's sources say that
// the system behaves. What it does not: layouts of structures, timing, rights, that a Mac behaves so.
#include <libproc.h>
#include <sys/event.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "check_darwin.h"
#include "darwin/kernel.h"
#include "scan/clocks.h"
#include "scan/pause.h"
#include "scan/process_reader.h"

using namespace launchwarden;
using scripted::Kernel;
using scripted::Process;

namespace {

using List = std::vector<std::string>;

std::unique_ptr<ProcessReader> Reader(const std::function<void(Kernel&)>& script = [](Kernel&) {}) {
  Boot(script);
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
    bool done = false;
    scripted::With([&](Kernel& kernel) {
      kernel.before = [&](const char* call, int pid) {
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

  // One that execs before every call: its arguments are unknown, never those of another image.
  auto restless = Reader([](Kernel& kernel) { kernel.processes[50] = {.path = "/bin/sh", .arguments = {"sh"}}; });
  scripted::With([](Kernel& kernel) {
    kernel.before = [](const char*, int pid) {
      scripted::With([&](Kernel& inner) {
        Process& process = inner.processes[pid];
        process.version++;
        process.path = "/bin/p" + std::to_string(process.version);
        process.arguments = {process.path};
      });
    };
  });
  const ProcessFacts unknown = Facts(*restless, 50);
  CHECK(!unknown.arguments_known && !unknown.arguments_withheld && unknown.arguments.kept.empty());

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
  bool done = false;
  scripted::With([&](Kernel& kernel) {
    kernel.before = [&](const char* call, int) {
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
  // On its way out it is listed and tells nothing, until it is a zombie.
  scripted::With([](Kernel& kernel) { kernel.processes[65] = {.exiting = true}; });
  std::vector<int> pids;
  CHECK(reader->List(pids) && std::count(pids.begin(), pids.end(), 65) == 1);
  Facts(*reader, 65, Seen::kGone);
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
  // A list that fills every buffer is none, and the buffer does not grow for ever.
  pids.clear();
  scripted::With([](Kernel& kernel) { kernel.endless_list = true; });
  for (int round = 0; round < 20; round++) CHECK(!reader->Births(pids) && !reader->List(pids) && pids.empty());
  scripted::With([](Kernel& kernel) { kernel.endless_list = false; });
  CHECK(reader->Births(pids) && pids.empty());
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

}  // namespace

void Boot(const std::function<void(Kernel&)>& script) {
  scripted::Reset();
  scripted::With([&](Kernel& kernel) {
    kernel.processes[1] = {.path = "/sbin/launchd", .name = "launchd", .arguments = {"/sbin/launchd"}};
    script(kernel);
  });
}

int main() {
  ArgumentAreas();
  Order();
  Changes();
  Rights();
  Lists();
  Pauses();
  ScannerChecks();
  FileEventChecks();
  OpenFileChecks();
  EndpointSecurityChecks();
  UnifiedLogChecks();
  std::printf("%d checks passed\n", checks);
  return 0;
}
