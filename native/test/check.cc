// What the core, the scanner and the EndpointSecurity client must do, checked without JavaScript so that the sanitizers
// see all of it (scripts/native-sanitize.mjs); check_client.cc is a part of it. Exit code 0 and the number of checks, or the first that failed.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "core/channel.h"
#include "core/sequence_gaps.h"
#include "scan/clocks.h"
#include "scan/scanner.h"

using namespace launchwarden;

namespace {

void Records() {
  std::vector<uint8_t> batch;
  Record record(7);
  record.PackInto(batch);
  record.Clear(8);
  record.Number(-1.5);
  record.String("");
  record.String("a\xff");
  record.String(std::string(100'000, 'x'));
  CHECK(record.PackedSize() % 8 == 0);
  record.PackInto(batch);
  const auto records = Unpack(batch);
  CHECK(records.size() == 2 && records[0].kind == 7 && records[0].strings.empty());
  CHECK(records[1].numbers[0] == -1.5 && records[1].strings[1] == "a\xff" && records[1].strings[2].size() == 100'000);
}

// `count` arguments as the kernel lays them out.
std::string Area(const std::vector<std::string>& arguments) {
  std::string area;
  for (const std::string& one : arguments) area.append(one).push_back(0);
  return area;
}

void ArgumentsKept() {
  using List = std::vector<std::string>;
  const auto check = [](const List& given, const auto& holds) {
    Arguments text, list;
    text.FromText(Area(given));
    list.FromList(given.size(), [&](size_t index) { return std::string_view(given[index]); });
    CHECK(text.count == given.size() && list.count == given.size());
    CHECK(text.kept == list.kept && text.front == list.front && text.shortened == list.shortened);
    CHECK(holds(text));
  };
  const std::string huge(70'000, 'x');
  const auto whole = [](const List& given) { return [given](const Arguments& one) { return one.kept == given && !one.Cut(); }; };
  for (const List& given : {List{}, List{""}, List{"a"}, List{"", "", "a", ""}, List{std::string(60'000, 'y'), "load", "f"},
                            List(4'096, ""), List{"a\nb", "\xff\xfe"}})
    check(given, whole(given));

  check({huge, "load", "file"}, [](const Arguments& one) {
    return one.shortened == 1 && one.front == 3 && one.kept[0].size() <= Arguments::kLongest && one.kept[2] == "file";
  });
  check({"launchctl", huge, "load", huge, "file"}, [](const Arguments& one) {
    return one.shortened == 2 && one.kept.size() == 5 && one.kept[2] == "load" && one.kept[4] == "file";
  });
  List many(100'000, "-w");
  many.front() = "launchctl";
  many.push_back("load");
  many.push_back("file");
  check(many, [](const Arguments& one) {
    return one.Cut() && one.shortened == 0 && one.kept.front() == "launchctl" && one.kept.back() == "file" &&
           one.kept[one.kept.size() - 2] == "load" && one.front == 2'048 && one.kept.size() == 4'096;
  });
  check(List(200, huge), [](const Arguments& one) {
    size_t bytes = 0;
    for (const std::string& kept : one.kept) bytes += kept.size();
    return bytes <= Arguments::kText && one.shortened == one.kept.size() && one.front < one.kept.size();
  });
  check(List(100'000, ""), [](const Arguments& one) { return one.kept.size() == 4'096; });
  // Cut between characters, and never beyond what there is.
  std::string letters;
  while (letters.size() < 70'000) letters += "\xc3\xa4";
  check({letters}, [](const Arguments& one) { return one.kept[0].size() % 2 == 1; });
  check({std::string(70'000, '\x80')}, [](const Arguments& one) { return one.kept[0].size() <= Arguments::kLongest; });
  Arguments unended;
  unended.FromText("a");
  CHECK(unended.kept == List{"a"} && unended.count == 1);
}

void Gaps() {
  SequenceGap gap;
  CHECK(gap.Next(100) == 0 && gap.Next(101) == 0 && gap.Next(105) == 3 && gap.Next(106) == 0);
  CHECK(gap.Next(0) == 0 && gap.Next(2) == 1);
}

void Channels() {
  std::atomic<int> wakes{0};
  Channel channel(256 * 1024, [&] { wakes++; });
  Record record(3);
  record.String(std::string(1'000, 'y'));
  int accepted = 0;
  for (int index = 0; index < 1'000; index++) accepted += channel.Push(record) ? 1 : 0;
  CHECK(wakes == 1 && accepted > 200 && accepted < 300);
  CHECK(channel.counters().dropped == 1'000u - static_cast<unsigned>(accepted));
  CHECK(channel.counters().dropped_by_kind[3] == channel.counters().dropped);
  std::vector<uint8_t> batch;
  int taken = 0;
  while (channel.Take(batch)) taken += static_cast<int>(Unpack(batch).size());
  CHECK(taken == accepted);
  CHECK(channel.Push(record) && wakes == 2);

  // Woken at the flush, once, and also for what was taken before it; sooner only when a batch is full.
  wakes = 0;
  Channel deferred(1 << 20, [&] { wakes++; }, WakeAt::kFlush);
  for (int index = 0; index < 10; index++) deferred.Push(record);
  CHECK(wakes == 0 && deferred.Take(batch) && !deferred.Take(batch));
  deferred.Flush();
  deferred.Flush();
  CHECK(wakes == 1);
  deferred.Flush(true);
  CHECK(wakes == 2 && !deferred.Take(batch));
  for (int index = 0; index < 200; index++) deferred.Push(record);
  CHECK(wakes == 3);

  // Many writers, one reader: nothing is lost but what is counted.
  Channel busy(1 << 20, [] {});
  std::atomic<bool> writing{true};
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 3; writer++)
    writers.emplace_back([&busy] {
      Record one(5);
      one.String("some text");
      for (int index = 0; index < 20'000; index++) busy.Push(one);
    });
  uint64_t read = 0;
  std::thread reader([&] {
    std::vector<uint8_t> some;
    while (writing || busy.Take(some))
      while (busy.Take(some)) read += Unpack(some).size();
  });
  for (auto& writer : writers) writer.join();
  writing = false;
  reader.join();
  while (busy.Take(batch)) read += Unpack(batch).size();
  CHECK(busy.counters().pushed + busy.counters().dropped == 60'000);
  CHECK(read <= busy.counters().pushed);
}

// Processes that the check makes up; the scanner's thread reads them while the check changes them.
class ScriptedProcesses final : public ProcessReader {
 public:
  struct Table {
    std::mutex mutex;
    std::map<int, ProcessFacts> processes;
    std::vector<int> born;
    bool gate = true;

    void Set(int pid, bool execed, const std::string& executable, uint64_t stamp, int ppid = 1) {
      std::lock_guard<std::mutex> lock(mutex);
      const bool fresh = processes.count(pid) == 0;
      ProcessFacts& facts = processes[pid];
      facts.pid = pid;
      facts.ppid = ppid;
      facts.start = 1'000 + static_cast<uint64_t>(pid);
      facts.execed = execed;
      facts.executable = executable;
      facts.image_stamp = stamp;
      facts.arguments.FromText(executable + '\0' + "load" + '\0');
      facts.arguments_known = true;
      if (fresh && gate) born.push_back(pid);
    }
  };

  explicit ScriptedProcesses(std::shared_ptr<Table> table) : table_(std::move(table)) {}
  std::string Open() override { return {}; }
  bool Births(std::vector<int>& pids) override {
    std::lock_guard<std::mutex> lock(table_->mutex);
    pids.insert(pids.end(), table_->born.begin(), table_->born.end());
    table_->born.clear();
    return true;
  }
  bool List(std::vector<int>& pids) override {
    std::lock_guard<std::mutex> lock(table_->mutex);
    for (const auto& [pid, facts] : table_->processes) pids.push_back(pid);
    return true;
  }
  Seen Glance(int pid, ProcessGlance& glance) override {
    ProcessFacts facts;
    const Seen seen = Read(pid, facts);
    glance = facts;
    return seen;
  }
  Seen Read(int pid, ProcessFacts& facts) override {
    std::lock_guard<std::mutex> lock(table_->mutex);
    const auto found = table_->processes.find(pid);
    if (found == table_->processes.end()) return Seen::kGone;
    facts = found->second;
    return Seen::kProcess;
  }

 private:
  const std::shared_ptr<Table> table_;
};

System Of(std::shared_ptr<ScriptedProcesses::Table> table) {
  return {std::make_unique<ScriptedProcesses>(std::move(table)), MakePause()};
}

void Scanning() {
  auto table = std::make_shared<ScriptedProcesses::Table>();
  table->Set(1, true, "/sbin/launchd", 11);
  table->Set(50, true, "/bin/zsh", 12);
  const auto channel = std::make_shared<Channel>(1 << 20, [] {});
  ScannerOptions options;
  options.period_us = options.quiet_period_us = 500;
  options.list_every_us = 20'000;
  std::vector<Unpacked> seen;
  const auto count = [&](uint16_t kind, const std::string& executable) {
    std::vector<uint8_t> batch;
    while (channel->Take(batch))
      for (auto& record : Unpack(batch)) seen.push_back(std::move(record));
    int found = 0;
    for (const auto& record : seen)
      found += record.kind == kind && record.strings.size() > 2 && record.strings[2] == executable ? 1 : 0;
    return found;
  };
  {
    const auto made = std::make_shared<Scanner>(Of(table), channel, options);
    Scanner& scanner = *made;
    CHECK(scanner.Start().empty());
    CHECK(Eventually([&] { return count(Scanner::kRunning, "/bin/zsh") == 1; }));
    CHECK(count(Scanner::kRunning, "/sbin/launchd") == 1);

    // Between fork and exec it shows its parent's program: reported under its own, once.
    table->Set(100, false, "/bin/zsh", 12, 50);
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    table->Set(100, true, "/bin/launchctl", 13, 50);
    CHECK(Eventually([&] { return count(Scanner::kExec, "/bin/launchctl") == 1; }));
    CHECK(count(Scanner::kExec, "/bin/zsh") == 0);

    // One that never execs is a fork after a while, or at once when it has a child.
    table->Set(101, false, "/bin/zsh", 12, 50);
    table->Set(102, true, "/bin/cp", 14, 101);
    CHECK(Eventually([&] { return count(Scanner::kExec, "/bin/cp") == 1; }));
    CHECK(count(Scanner::kFork, "/bin/zsh") == 1);

    // Another program in its own place.
    table->Set(101, true, "/usr/bin/osascript", 15, 50);
    CHECK(Eventually([&] { return count(Scanner::kExec, "/usr/bin/osascript") == 1; }));

    // What the gate did not tell, the list finds.
    {
      std::lock_guard<std::mutex> lock(table->mutex);
      table->gate = false;
    }
    table->Set(103, true, "/bin/hidden", 16, 50);
    CHECK(Eventually([&] { return count(Scanner::kExec, "/bin/hidden") == 1; }));
    CHECK(scanner.counters().late == 1);
    CHECK(Eventually([&] { return scanner.CompleteThrough() > 0; }));
    CHECK(scanner.Stop());
    CHECK(scanner.Stop());
  }
  CHECK(count(Scanner::kExec, "/bin/launchctl") == 1);

  // The wake-up comes when the look is complete; a hurried look is taken at once, and answered though it finds nothing.
  {
    auto calm = std::make_shared<ScriptedProcesses::Table>();
    calm->Set(1, true, "/sbin/launchd", 11);
    ScannerOptions slow;
    slow.period_us = slow.quiet_period_us = slow.longest_period_us = 3'600'000'000;
    Scanner* asked = nullptr;
    std::atomic<int> wakes{0};
    std::atomic<int64_t> complete{0};
    const auto woken = std::make_shared<Channel>(
        1 << 20,
        [&] {
          if (asked != nullptr) complete = asked->CompleteThrough();
          wakes++;
        },
        WakeAt::kFlush);
    const auto scanner = std::make_shared<Scanner>(Of(calm), woken, slow);
    asked = scanner.get();
    CHECK(scanner->Start().empty());
    double seen_us = 0;
    const auto taken = [&](uint16_t kind) {
      std::vector<uint8_t> batch;
      bool found = false;
      while (woken->Take(batch))
        for (const auto& record : Unpack(batch)) {
          if (record.kind == Scanner::kExec) seen_us = record.numbers[6];
          found = found || record.kind == kind;
        }
      return found;
    };
    CHECK(Eventually([&] { return taken(Scanner::kReady); }));
    for (int round = 0; round < 3; round++) {
      const int64_t before = complete;
      if (round == 1) calm->Set(60, true, "/bin/cp", 12);
      scanner->Hurry();
      if (round == 1) CHECK(Eventually([&] { return taken(Scanner::kExec); }));
      CHECK(Eventually([&] { return complete > before; }));
      CHECK(Eventually([&] { return static_cast<double>(complete) >= seen_us; }));
    }
    CHECK(wakes >= 4);
    CHECK(scanner->Stop());
  }

  // While nothing is born it looks seldom, unless it is told to attend: then at once, and at the full rate.
  {
    auto calm = std::make_shared<ScriptedProcesses::Table>();
    calm->Set(1, true, "/sbin/launchd", 11);
    ScannerOptions drowsy = options;
    drowsy.quiet_period_us = 3'600'000'000;
    const auto quiet = std::make_shared<Channel>(1 << 20, [] {});
    const auto scanner = std::make_shared<Scanner>(Of(calm), quiet, drowsy);
    CHECK(scanner->Start().empty());
    CHECK(Eventually([&] { return scanner->CompleteThrough() > 0; }));
    calm->Set(70, true, "/bin/launchctl", 12);
    scanner->Attend(60'000'000);
    CHECK(Eventually([&] { return scanner->counters().starts == 1; }));
    const uint64_t looks = scanner->counters().looks;
    CHECK(Eventually([&] { return scanner->counters().looks > looks + 20; }));
    scanner->Attend(0);
    CHECK(scanner->Stop());
  }

  // Somebody makes a read hang: the stop does not, and what the thread uses outlives us.
  {
    auto stuck = std::make_shared<ScriptedProcesses::Table>();
    stuck->Set(1, true, "/sbin/launchd", 11);
    auto scanner = std::make_shared<Scanner>(Of(stuck),
                                             std::make_shared<Channel>(1 << 20, [] {}), options);
    std::unique_lock<std::mutex> hang(stuck->mutex);
    CHECK(scanner->Start().empty());
    CHECK(!scanner->Stop());
    std::weak_ptr<Scanner> left = scanner;
    scanner.reset();
    CHECK(!left.expired());
    hang.unlock();
    CHECK(Eventually([&] { return left.expired(); }));
  }

  // The real machine, started and ended at once.
  for (int round = 0; round < 3; round++) {
    const auto scanner =
        std::make_shared<Scanner>(ThisSystem(), std::make_shared<Channel>(1 << 20, [] {}), options);
    CHECK(scanner->Start().empty());
    std::this_thread::sleep_for(std::chrono::milliseconds(10 * round));
    CHECK(scanner->Stop());
  }
}

void Trust() {
  HintTrust trust;
  trust.Told({7, 1}, 0);
  for (int count = 0; count < HintTrust::kNeeded; count++) {
    CHECK(!trust.Earned());
    trust.Born(count % 2 == 0 ? 1 : 7, 0);
  }
  CHECK(trust.Earned() && !trust.Pending());
  // Told a moment after the child was seen.
  trust.Born(2, 100);
  CHECK(trust.Pending());
  trust.Told({}, 100 + HintTrust::kGraceUs - 1);
  CHECK(trust.Pending() && trust.Earned());
  trust.Told({2}, 100 + HintTrust::kGraceUs);
  CHECK(!trust.Pending() && trust.Earned() && trust.misses() == 0);
  // Not told, and not for another's fork either.
  trust.Born(3, 200);
  trust.Told({2}, 200 + HintTrust::kGraceUs);
  CHECK(!trust.Pending() && !trust.Earned() && trust.misses() == 1);
  for (int count = 1; count < HintTrust::kNeeded; count++) trust.Born(2, 300);
  CHECK(!trust.Earned());
  trust.Born(2, 300);
  CHECK(trust.Earned());
  // A storm of untold births is remembered up to a bound.
  for (int count = 0; count < 100'000; count++) trust.Born(4, 400);
  trust.Told({}, 400 + HintTrust::kGraceUs);
  CHECK(trust.misses() > 1 && trust.misses() < 2'000);
}

// A system that tells of forks and programs when the check says so.
class ScriptedPause final : public Pause {
 public:
  struct Wire {
    std::mutex mutex;
    std::condition_variable signal;
    Told told;
    bool interrupted = false;
    std::set<int> watched;
    int64_t wait_us = 0;  // asked for by the last wait
  };

  explicit ScriptedPause(std::shared_ptr<Wire> wire) : wire_(std::move(wire)) {}
  void Wait(int64_t until_us, Told& told) override {
    std::unique_lock<std::mutex> lock(wire_->mutex);
    wire_->wait_us = until_us - SteadyUs();
    wire_->signal.wait_for(lock, std::chrono::microseconds(wire_->wait_us),
                           [this] { return wire_->interrupted || wire_->told.Any(); });
    told = std::exchange(wire_->told, {});
    wire_->interrupted = false;
  }
  void Interrupt() override {
    std::lock_guard<std::mutex> lock(wire_->mutex);
    wire_->interrupted = true;
    wire_->signal.notify_all();
  }
  bool Tells() const override { return true; }
  bool Watch(int pid) override {
    std::lock_guard<std::mutex> lock(wire_->mutex);
    return wire_->watched.insert(pid).second;
  }

 private:
  const std::shared_ptr<Wire> wire_;
};

void Hints() {
  constexpr int64_t kHour = 3'600'000'000;
  auto table = std::make_shared<ScriptedProcesses::Table>();
  auto wire = std::make_shared<ScriptedPause::Wire>();
  table->Set(1, true, "/sbin/launchd", 11);
  // Only hints, or the check itself, bring about a look.
  ScannerOptions options;
  options.period_us = options.quiet_period_us = kHour;
  options.longest_period_us = 2 * kHour;
  const auto channel = std::make_shared<Channel>(1 << 20, [] {});
  const auto scanner = std::make_shared<Scanner>(
      System{std::make_unique<ScriptedProcesses>(table), std::make_unique<ScriptedPause>(wire)}, channel, options);
  std::map<std::string, int> seen;
  const auto reported = [&](const std::string& executable) {
    std::vector<uint8_t> batch;
    while (channel->Take(batch))
      for (const auto& record : Unpack(batch))
        if (record.kind == Scanner::kExec) seen[record.strings[2]]++;
    return seen[executable];
  };
  const auto born = [&](int pid, bool execed, const std::string& executable, int ppid, bool told) {
    std::lock_guard<std::mutex> lock(wire->mutex);
    table->Set(pid, execed, executable, 100 + static_cast<uint64_t>(pid), ppid);
    if (!told) return;
    wire->told.forked.push_back(ppid);
    wire->signal.notify_all();
  };
  uint64_t stamp = 5'000;
  const auto execed = [&](int pid, const std::string& executable) {
    std::lock_guard<std::mutex> lock(wire->mutex);
    table->Set(pid, true, executable, ++stamp, 1);
    wire->told.execed.push_back(pid);
    wire->signal.notify_all();
  };
  const auto waited = [&] {
    std::lock_guard<std::mutex> lock(wire->mutex);
    return wire->wait_us;
  };

  CHECK(scanner->Start().empty());
  CHECK(Eventually([&] { return waited() > 0; }));
  {
    std::lock_guard<std::mutex> lock(wire->mutex);
    CHECK(wire->watched.count(1) == 1);
  }
  // Trust, and with it the longer period, comes with enough of them; also of grandchildren who came with their parents.
  for (int pid = 100; pid < 100 + HintTrust::kNeeded; pid++) {
    CHECK(!scanner->counters().hints_trusted);
    born(pid, true, "/bin/told" + std::to_string(pid), 1, true);
    CHECK(Eventually([&] { return reported("/bin/told" + std::to_string(pid)) == 1; }));
  }
  CHECK(Eventually([&] { return scanner->counters().hints_trusted.load(); }));
  CHECK(Eventually([&] { return waited() > kHour + kHour / 2; }));
  {
    std::lock_guard<std::mutex> lock(wire->mutex);
    table->Set(300, true, "/bin/shell", 41, 1);
    table->Set(301, true, "/bin/grandchild", 42, 300);
    wire->told.forked.push_back(1);
    wire->signal.notify_all();
  }
  CHECK(Eventually([&] { return reported("/bin/grandchild") == 1; }));
  CHECK(scanner->counters().hints_trusted && scanner->counters().hint_misses == 0);

  // One that was not told is found by the next look, and ends the trust.
  born(400, true, "/bin/untold", 300, false);
  CHECK(Eventually([&] {
    scanner->Hurry();
    return reported("/bin/untold") == 1 && scanner->counters().hint_misses == 1;
  }));
  CHECK(Eventually([&] { return !scanner->counters().hints_trusted; }));
  CHECK(Eventually([&] { return waited() < kHour + kHour / 2; }));

  // A child that is told is looked at at once, and again when its program is told; so is another program in its place.
  const uint64_t hints = scanner->counters().hints;
  born(99, false, "/sbin/launchd", 1, true);
  CHECK(Eventually([&] { return scanner->counters().hints > hints; }));
  execed(99, "/bin/young");
  CHECK(Eventually([&] { return reported("/bin/young") == 1; }));
  execed(99, "/bin/in-place");
  CHECK(Eventually([&] { return reported("/bin/in-place") == 1; }));
  CHECK(reported("/sbin/launchd") == 0);
  CHECK(scanner->Stop());
}

}  // namespace

int main() {
  Records();
  ArgumentsKept();
  Gaps();
  Channels();
  Scanning();
  Trust();
  Hints();
  Clients();
  std::printf("%d checks passed\n", checks);
  return 0;
}
