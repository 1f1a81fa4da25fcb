#include "js_fs_source.h"

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "core/channel.h"
#include "fsevents/fs_source.h"
#include "js_options.h"
#include "js_wake.h"
#ifdef LAUNCHWARDEN_DOUBLE
#include "double/js_fs_double.h"
#endif

namespace launchwarden {

namespace {

std::vector<std::string> Texts(const Napi::Object& options, const char* name) {
  const Napi::Value value = options.Get(name);
  if (!value.IsArray()) throw Napi::TypeError::New(options.Env(), std::string(name) + " must be an array");
  std::vector<std::string> texts;
  const Napi::Array list = value.As<Napi::Array>();
  for (uint32_t index = 0; index < list.Length(); index++) {
    const Napi::Value text = list.Get(index);
    if (!text.IsString()) throw Napi::TypeError::New(options.Env(), std::string(name) + " must hold paths");
    texts.push_back(text.As<Napi::String>().Utf8Value());
  }
  return texts;
}

// Ids may exceed 2^53: they cross as decimal text.
uint64_t IdOption(const Napi::Object& options, const char* name, uint64_t fallback) {
  const Napi::Value value = options.Get(name);
  if (value.IsUndefined()) return fallback;
  if (!value.IsString()) throw Napi::TypeError::New(options.Env(), std::string(name) + " must be text");
  const std::string text = value.As<Napi::String>().Utf8Value();
  char* end = nullptr;
  const uint64_t id = std::strtoull(text.c_str(), &end, 10);
  if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos || *end != '\0')
    throw Napi::RangeError::New(options.Env(), std::string(name) + " is no event id");
  return id;
}

class JsFsSource : public Napi::ObjectWrap<JsFsSource> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "FileEventSource",
                       {
                           InstanceMethod<&JsFsSource::Start>("start"),
                           InstanceMethod<&JsFsSource::Stop>("stop"),
                           InstanceMethod<&JsFsSource::Take>("take"),
                           InstanceMethod<&JsFsSource::Flush>("flush"),
                           InstanceMethod<&JsFsSource::CurrentId>("currentId"),
                           InstanceMethod<&JsFsSource::History>("history"),
                           InstanceMethod<&JsFsSource::Counters>("counters"),
                       });
  }

  explicit JsFsSource(const Napi::CallbackInfo& info) : Napi::ObjectWrap<JsFsSource>(info) {
    const Napi::Env env = info.Env();
    if (info.Length() < 2 || !info[0].IsObject() || !info[1].IsFunction())
      throw Napi::TypeError::New(env, "FileEventSource takes options and a function");
    const Napi::Object options = info[0].As<Napi::Object>();
    plan_.paths = Texts(options, "paths");
    plan_.patterns = Texts(options, "patterns");
    plan_.since = IdOption(options, "since", FsApi::kSinceNow);
    const auto capacity = static_cast<size_t>(NumberOption(options, "queueBytes", 16 << 20, 128 << 10, 1 << 30));
    wake_ = std::make_shared<JsWake>(env, info[1].As<Napi::Function>());
    channel_ = std::make_shared<Channel>(capacity, [wake = wake_] { wake->Call(); });
    source_ = std::make_unique<FsSource>(Api(info), channel_);
    napi_add_env_cleanup_hook(env, &JsFsSource::AtExit, this);
    hooked_ = true;
  }

  ~JsFsSource() override {
    Close();
    if (hooked_) napi_remove_env_cleanup_hook(Env(), &JsFsSource::AtExit, this);
  }

 private:
  static std::unique_ptr<FsApi> Api(const Napi::CallbackInfo& info) {
#ifdef LAUNCHWARDEN_DOUBLE
    if (info.Length() > 2 && info[2].IsObject()) return FsDoubleOf(info[2].As<Napi::Object>());
#endif
    return MakeFsApi();
  }

  static void AtExit(void* self) {
    static_cast<JsFsSource*>(self)->hooked_ = false;
    static_cast<JsFsSource*>(self)->Close();
  }

  void Close() {
    if (source_) source_->Stop();
    if (wake_) wake_->Close();
  }

  // Undefined when the stream runs, else why it does not.
  Napi::Value Start(const Napi::CallbackInfo& info) {
    if (started_) throw Napi::Error::New(info.Env(), "already started");
    started_ = true;
    const std::string trouble = source_->Start(plan_);
    if (!trouble.empty()) return Napi::String::New(info.Env(), trouble);
    Ref();
    running_ = true;
    return info.Env().Undefined();
  }

  // What was received can still be taken.
  void Stop(const Napi::CallbackInfo& info) {
    Close();
    if (running_) Unref();
    running_ = false;
  }

  Napi::Value Take(const Napi::CallbackInfo& info) {
    if (!channel_->Take(batch_)) return info.Env().Undefined();
    return Napi::Buffer<uint8_t>::Copy(info.Env(), batch_.data(), batch_.size());
  }

  Napi::Value Flush(const Napi::CallbackInfo& info) {
    return Napi::String::New(info.Env(), std::to_string(source_->Flush()));
  }

  Napi::Value CurrentId(const Napi::CallbackInfo& info) {
    return Napi::String::New(info.Env(), std::to_string(source_->CurrentId()));
  }

  Napi::Value History(const Napi::CallbackInfo& info) {
    if (info.Length() < 1 || !info[0].IsString()) throw Napi::TypeError::New(info.Env(), "history takes a path");
    return Napi::String::New(info.Env(), source_->History(info[0].As<Napi::String>().Utf8Value()));
  }

  Napi::Value Counters(const Napi::CallbackInfo& info) {
    Napi::Object result = Napi::Object::New(info.Env());
    const auto set = [&](const char* name, uint64_t value) { result.Set(name, static_cast<double>(value)); };
    const FsCounters& counters = source_->counters();
    set("received", counters.received);
    set("queued", counters.queued);
    set("filtered", counters.filtered);
    set("after_stop", counters.after_stop);
    set("rescans", counters.rescans);
    set("lost", counters.lost);
    set("odd_paths", counters.odd_paths);
    set("dropped", channel_->counters().dropped);
    return result;
  }

  FsPlan plan_;
  std::shared_ptr<JsWake> wake_;
  std::shared_ptr<Channel> channel_;
  std::unique_ptr<FsSource> source_;
  std::vector<uint8_t> batch_;
  bool hooked_ = false;
  bool started_ = false;
  bool running_ = false;
};

}  // namespace

Napi::Function DefineFsSource(Napi::Env env) { return JsFsSource::Define(env); }

}  // namespace launchwarden
