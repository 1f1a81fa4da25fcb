// The whole scanner over the scripted kernel: what is born, execs, ends or is denied on another thread.
#include <sys/event.h>

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "check_darwin.h"
#include "core/channel.h"
#include "scan/clocks.h"
#include "scan/scanner.h"

using namespace launchwarden;
using scripted::Kernel;
using scripted::Process;

namespace {

constexpr size_t kFlags = 11, kArgumentCount = 12, kExecutable = 2, kFirstArgument = 5;

// A scanner that has begun, and what it has reported.
class Running {
 public:
  explicit Running(int64_t period_us = 1'000) {
    ScannerOptions options;
    options.period_us = options.quiet_period_us = period_us;
    // What only the full list would find does not pass for found.
    options.list_every_us = 1'000'000'000;
    scanner_ = std::make_shared<Scanner>(ThisSystem(), channel_, options);
    CHECK(scanner_->Start().empty());
  }
  ~Running() { CHECK(scanner_->Stop()); }

  const std::vector<Unpacked>& Records() {
    std::vector<uint8_t> batch;
    while (channel_->Take(batch))
      for (Unpacked& record : Unpack(batch)) records_.push_back(std::move(record));
    return records_;
  }

  int Count(uint16_t kind, int pid, const std::string& executable) {
    int count = 0;
    for (const Unpacked& record : Records())
      count += record.kind == kind && record.numbers[0] == pid && record.strings[kExecutable] == executable ? 1 : 0;
    return count;
  }

  const Unpacked* Find(uint16_t kind, int pid) {
    for (const Unpacked& record : Records())
      if (record.kind == kind && record.numbers[0] == pid) return &record;
    return nullptr;
  }

  bool IsReady() {
    for (const Unpacked& record : Records())
      if (record.kind == Scanner::kReady) return true;
    return false;
  }

  const ScannerCounters& counters() const { return scanner_->counters(); }

 private:
  const std::shared_ptr<Channel> channel_ = std::make_shared<Channel>(32 << 20, [] {}, WakeAt::kFlush);
  std::shared_ptr<Scanner> scanner_;
  std::vector<Unpacked> records_;
};

uint64_t NowSeconds() { return static_cast<uint64_t>(WallUs() / 1'000'000); }

void Exec(int pid, const std::string& path) {
  scripted::With([&](Kernel& kernel) {
    Process& process = kernel.processes[pid];
    process.execed = true;
    process.path = path;
    process.arguments = {path, "load"};
    process.version++;
  });
}

// Each birth is reported once, under its own program: with hints, without them, and when forks are told only after the
// exec, as those of posix_spawn are. The scanner does not rely on hints then.
void Births() {
  enum class Hints { kInTime, kNone, kLate };
  for (const Hints hints : {Hints::kInTime, Hints::kNone, Hints::kLate}) {
    Boot();
    Running running;
    // Without waiting for it in one case: births during the first list.
    if (hints != Hints::kInTime) CHECK(Eventually([&] { return running.IsReady(); }));
    constexpr int kBirths = 200;
    std::thread mother([&] {
      for (int index = 0; index < kBirths; index++) {
        const int pid = 1'000 + index;
        scripted::With([&](Kernel& kernel) {
          kernel.processes[pid] = {.start_s = NowSeconds(), .execed = false, .path = "/sbin/launchd", .name = "launchd"};
        });
        if (hints == Hints::kInTime) scripted::Tell(1, NOTE_FORK);
        std::this_thread::sleep_for(std::chrono::microseconds(300));
        Exec(pid, "/bin/child" + std::to_string(index));
        if (hints == Hints::kInTime) scripted::Tell(pid, NOTE_EXEC);
        std::this_thread::sleep_for(std::chrono::microseconds(300));
      }
    });
    std::set<std::string> seen;
    CHECK(Eventually([&] {
      // One that is there before the first list is a running process.
      for (const Unpacked& record : running.Records())
        if (record.kind == Scanner::kExec || record.kind == Scanner::kRunning) seen.insert(record.strings[kExecutable]);
      seen.erase("/sbin/launchd");
      return seen.size() == kBirths;
    }));
    mother.join();
    for (int index = 0; index < kBirths; index++) {
      const std::string path = "/bin/child" + std::to_string(index);
      CHECK(running.Count(Scanner::kExec, 1'000 + index, path) + running.Count(Scanner::kRunning, 1'000 + index, path) == 1);
    }
    if (hints != Hints::kLate) continue;
    CHECK(Eventually([&] { return running.counters().hint_misses > 0; }));
    const uint64_t looks = running.counters().looks;
    scripted::Tell(1, NOTE_FORK);
    CHECK(Eventually([&] { return running.counters().looks > looks + 1; }));
    CHECK(!running.counters().hints_trusted);
  }
}

// One that is between its fork and its exec when the scanner starts: the exec is not waited for half a minute.
void OnItsWay() {
  Boot([](Kernel& kernel) {
    kernel.processes[1'000] = {.start_s = NowSeconds(), .execed = false, .path = "/bin/sh", .name = "sh"};
  });
  Running running;
  CHECK(Eventually([&] { return running.IsReady(); }));
  CHECK(running.Count(Scanner::kRunning, 1'000, "/bin/sh") == 1);
  Exec(1'000, "/bin/launchctl");
  CHECK(Eventually([&] { return running.Count(Scanner::kExec, 1'000, "/bin/launchctl") == 1; }));
}

// Another program in its own place: told, and found without being told.
void InPlace() {
  for (const bool told : {true, false}) {
    Boot([](Kernel& kernel) { kernel.processes[50] = {.path = "/bin/sh"}; });
    Running running;
    CHECK(Eventually([&] { return running.IsReady(); }));
    const int pid = told ? 50 : 51;
    if (!told) {
      scripted::With([](Kernel& kernel) { kernel.processes[51] = {.start_s = NowSeconds(), .path = "/bin/sh"}; });
      CHECK(Eventually([&] { return running.Count(Scanner::kExec, 51, "/bin/sh") == 1; }));
    }
    Exec(pid, "/bin/launchctl");
    if (told) scripted::Tell(pid, NOTE_EXEC);
    CHECK(Eventually([&] { return running.Count(Scanner::kExec, pid, "/bin/launchctl") == 1; }));
  }
}

// Its number goes to another process between two looks, so that the list stays as it was.
void Reused() {
  Boot();
  Running running;
  CHECK(Eventually([&] { return running.IsReady(); }));
  scripted::With([](Kernel& kernel) { kernel.processes[70] = {.start_s = NowSeconds(), .path = "/bin/first"}; });
  CHECK(Eventually([&] { return running.Count(Scanner::kExec, 70, "/bin/first") == 1; }));
  scripted::With([](Kernel& kernel) {
    kernel.processes[70] = {.start_s = NowSeconds(), .start_us = 77, .path = "/bin/second", .version = 9};
  });
  CHECK(Eventually([&] { return running.Count(Scanner::kExec, 70, "/bin/second") == 1; }));
}

// First seen while it exits: reported as dead once it is a zombie, and counted when it never becomes one.
void Dying() {
  std::atomic<int> asked{0};
  Boot();
  Running running;
  CHECK(Eventually([&] { return running.IsReady(); }));
  scripted::With([&](Kernel& kernel) {
    kernel.before = [&](const char* call, int pid) {
      if (pid != 80 || std::string(call) != "info" || ++asked != 3) return;
      scripted::With([](Kernel& inner) {
        inner.processes[80].exiting = false;
        inner.processes[80].zombie = true;
      });
    };
    kernel.processes[80] = {.start_s = NowSeconds(), .exiting = true, .path = "/bin/short", .name = "short"};
  });
  CHECK(Eventually([&] { return running.Find(Scanner::kExec, 80) != nullptr; }));
  const Unpacked* dead = running.Find(Scanner::kExec, 80);
  CHECK((static_cast<uint32_t>(dead->numbers[kFlags]) & Scanner::kDead) != 0 && dead->strings[3] == "short");
  CHECK(running.counters().found_dead == 1 && running.counters().vanished == 0);

  scripted::With([](Kernel& kernel) {
    kernel.before = nullptr;
    kernel.processes[81] = {.start_s = NowSeconds(), .exiting = true};
  });
  CHECK(Eventually([&] { return running.counters().vanished == 1; }));
  // Gone between the list and the first look at it.
  scripted::With([](Kernel& kernel) {
    kernel.before = [](const char*, int pid) {
      if (pid == 82) scripted::With([](Kernel& inner) { inner.processes.erase(82); });
    };
    kernel.processes[82] = {.start_s = NowSeconds()};
  });
  CHECK(Eventually([&] { return running.counters().vanished == 2; }));
  CHECK(running.Find(Scanner::kExec, 81) == nullptr && running.Find(Scanner::kExec, 82) == nullptr);
}

// What fills the kernel's buffer is "arguments unknown" all the way, and never the end of something else.
void Withheld() {
  Boot();
  Running running;
  CHECK(Eventually([&] { return running.IsReady(); }));
  scripted::With([](Kernel& kernel) {
    kernel.processes[90] = {.start_s = NowSeconds(), .arguments = {"launchctl", "load", "/x.plist"}};
    kernel.processes[90].environment = {std::string(static_cast<size_t>(kernel.argument_max), 'e')};
  });
  CHECK(Eventually([&] { return running.Find(Scanner::kExec, 90) != nullptr; }));
  const Unpacked* record = running.Find(Scanner::kExec, 90);
  constexpr uint32_t kUnknown = Scanner::kArgumentsUnknown | Scanner::kArgumentsWithheld;
  CHECK((static_cast<uint32_t>(record->numbers[kFlags]) & kUnknown) == kUnknown);
  CHECK(record->numbers[kArgumentCount] == 0 && record->strings.size() == kFirstArgument);
}

// Lists that fail end nothing: what was born meanwhile is found afterwards, and nobody has ended.
void FailingLists() {
  Boot([](Kernel& kernel) { kernel.processes[50] = {}; });
  Running running;
  CHECK(Eventually([&] { return running.IsReady(); }));
  scripted::With([](Kernel& kernel) {
    kernel.failing_lists = 5;
    kernel.processes[100] = {.start_s = NowSeconds(), .path = "/bin/late"};
  });
  CHECK(Eventually([&] { return running.Count(Scanner::kExec, 100, "/bin/late") == 1; }));
  CHECK(running.Find(Scanner::kExec, 50) == nullptr);
}

}  // namespace

void ScannerChecks() {
  Births();
  OnItsWay();
  InPlace();
  Reused();
  Dying();
  Withheld();
  FailingLists();
}
