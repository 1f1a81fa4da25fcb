#include "js_scanner.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/channel.h"
#include "js_options.h"
#include "js_wake.h"
#include "scan/scanner.h"

namespace launchwarden {

namespace {

class JsScanner : public Napi::ObjectWrap<JsScanner> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "ProcessScanner",
                       {
                           InstanceMethod<&JsScanner::Start>("start"),
                           InstanceMethod<&JsScanner::Stop>("stop"),
                           InstanceMethod<&JsScanner::Take>("take"),
                           InstanceMethod<&JsScanner::Hurry>("hurry"),
                           InstanceMethod<&JsScanner::Attend>("attend"),
                           InstanceMethod<&JsScanner::CompleteThrough>("completeThrough"),
                           InstanceMethod<&JsScanner::Counters>("counters"),
                       });
  }

  explicit JsScanner(const Napi::CallbackInfo& info) : Napi::ObjectWrap<JsScanner>(info) {
    const Napi::Env env = info.Env();
    if (info.Length() < 2 || !info[0].IsObject() || !info[1].IsFunction())
      throw Napi::TypeError::New(env, "ProcessScanner takes options and a function");
    const Napi::Object given = info[0].As<Napi::Object>();
    ScannerOptions options;
    options.period_us = static_cast<int64_t>(NumberOption(given, "periodUs", 4'500, 200, 10'000'000));
    options.quiet_period_us =
        static_cast<int64_t>(NumberOption(given, "quietPeriodUs", 6'000, 200, 10'000'000));
    options.longest_period_us =
        static_cast<int64_t>(NumberOption(given, "longestPeriodUs", 20'000, 200, 10'000'000));
    options.cpu_share = NumberOption(given, "cpuShare", 0.10, 0.001, 1);
    const auto capacity = static_cast<size_t>(NumberOption(given, "queueBytes", 16 << 20, 128 << 10, 1 << 30));
    wake_ = std::make_shared<JsWake>(env, info[1].As<Napi::Function>());
    channel_ = std::make_shared<Channel>(capacity, [wake = wake_] { wake->Call(); }, WakeAt::kFlush);
    scanner_ = std::make_shared<Scanner>(ThisSystem(), channel_, options);
    // The thread must be joined before the environment (a worker, or the process) goes away.
    napi_add_env_cleanup_hook(env, &JsScanner::AtExit, this);
    hooked_ = true;
  }

  ~JsScanner() override {
    Close();
    if (hooked_) napi_remove_env_cleanup_hook(Env(), &JsScanner::AtExit, this);
  }

 private:
  static void AtExit(void* self) {
    static_cast<JsScanner*>(self)->hooked_ = false;
    static_cast<JsScanner*>(self)->Close();
  }

  bool Close() {
    const bool ended = scanner_ == nullptr || !started_ || scanner_->Stop();
    if (wake_) wake_->Close();
    return ended;
  }

  // Undefined when the thread runs, else why it does not.
  Napi::Value Start(const Napi::CallbackInfo& info) {
    if (started_) throw Napi::Error::New(info.Env(), "already started");
    started_ = true;
    const std::string trouble = scanner_->Start();
    if (!trouble.empty()) return Napi::String::New(info.Env(), trouble);
    // While the thread runs, the object must not be collected.
    Ref();
    running_ = true;
    return info.Env().Undefined();
  }

  // False when the thread hangs and was left to itself. What the last look found can still be taken.
  Napi::Value Stop(const Napi::CallbackInfo& info) {
    const bool ended = Close();
    if (running_) Unref();
    running_ = false;
    return Napi::Boolean::New(info.Env(), ended);
  }

  // The oldest batch of records, or undefined when there is none.
  Napi::Value Take(const Napi::CallbackInfo& info) {
    if (!channel_->Take(batch_)) return info.Env().Undefined();
    return Napi::Buffer<uint8_t>::Copy(info.Env(), batch_.data(), batch_.size());
  }

  // A look now, and a wake-up when it is complete, also when it found nothing.
  void Hurry(const Napi::CallbackInfo& info) { scanner_->Hurry(); }

  void Attend(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (info.Length() < 1 || !info[0].IsNumber()) throw Napi::TypeError::New(env, "attend takes microseconds");
    const double microseconds = info[0].As<Napi::Number>().DoubleValue();
    // What is no number is none at all.
    scanner_->Attend(microseconds > 0 ? static_cast<int64_t>(std::min(microseconds, 3.6e9)) : 0);
  }

  Napi::Value CompleteThrough(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(scanner_->CompleteThrough()));
  }

  Napi::Value Counters(const Napi::CallbackInfo& info) {
    Napi::Object result = Napi::Object::New(info.Env());
    const auto set = [&](const char* name, double value) { result.Set(name, value); };
    const ScannerCounters& scan = scanner_->counters();
    const Channel::Counters queue = channel_->counters();
    set("looks", static_cast<double>(scan.looks));
    set("lists", static_cast<double>(scan.lists));
    set("glances", static_cast<double>(scan.glances));
    set("reads", static_cast<double>(scan.reads));
    set("starts", static_cast<double>(scan.starts));
    set("forks", static_cast<double>(scan.forks));
    set("late", static_cast<double>(scan.late));
    set("vanished", static_cast<double>(scan.vanished));
    set("found_dead", static_cast<double>(scan.found_dead));
    set("hints", static_cast<double>(scan.hints));
    set("hint_misses", static_cast<double>(scan.hint_misses));
    set("hint_errors", static_cast<double>(scan.hint_errors));
    set("hints_trusted", scan.hints_trusted ? 1 : 0);
    set("period_us", static_cast<double>(scan.period_us));
    set("cpu_share", scan.cpu_share);
    set("dropped", static_cast<double>(queue.dropped));
    return result;
  }

  std::shared_ptr<JsWake> wake_;
  std::shared_ptr<Channel> channel_;
  std::shared_ptr<Scanner> scanner_;
  std::vector<uint8_t> batch_;
  bool hooked_ = false;
  bool started_ = false;
  bool running_ = false;
};

}  // namespace

Napi::Function DefineProcessScanner(Napi::Env env) { return JsScanner::Define(env); }

}  // namespace launchwarden
