#include "double/js_fs_double.h"

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "double/fs_double.h"

namespace launchwarden {

namespace {

class JsFsDouble : public Napi::ObjectWrap<JsFsDouble> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "FileEventDouble",
                       {
                           InstanceMethod<&JsFsDouble::Deliver>("deliver"),
                           InstanceMethod<&JsFsDouble::Calls>("calls"),
                       });
  }

  explicit JsFsDouble(const Napi::CallbackInfo& info) : Napi::ObjectWrap<JsFsDouble>(info) {
    FsScript script;
    if (info[0].IsObject()) {
      const Napi::Object given = info[0].As<Napi::Object>();
      script.open_fails = given.Get("openFails").ToBoolean();
      script.start_fails = given.Get("startFails").ToBoolean();
      script.late = given.Get("late").ToBoolean();
      if (given.Get("history").IsString()) script.history = given.Get("history").As<Napi::String>().Utf8Value();
      if (given.Get("currentId").IsString()) script.current_id = Id(given.Get("currentId"));
    }
    double_ = std::make_unique<FsDouble>(std::move(script));
  }

  FsDouble& get() { return *double_; }

 private:
  static uint64_t Id(const Napi::Value& value) {
    return std::strtoull(value.ToString().Utf8Value().c_str(), nullptr, 10);
  }

  // Paths may be buffers: what the system says need not be UTF-8.
  static std::string Text(const Napi::Value& value) {
    if (!value.IsBuffer()) return value.ToString().Utf8Value();
    const auto bytes = value.As<Napi::Buffer<char>>();
    return std::string(bytes.Data(), bytes.Length());
  }

  void Deliver(const Napi::CallbackInfo& info) {
    const Napi::Array given = info[0].As<Napi::Array>();
    std::vector<ScriptedFsEvent> events;
    for (uint32_t index = 0; index < given.Length(); index++) {
      const Napi::Object one = given.Get(index).As<Napi::Object>();
      ScriptedFsEvent event;
      event.path = Text(one.Get("path"));
      event.flags = one.Get("flags").IsNumber() ? one.Get("flags").ToNumber().Uint32Value() : 0;
      event.id = Id(one.Get("id"));
      events.push_back(std::move(event));
    }
    double_->Deliver(events);
  }

  Napi::Value Calls(const Napi::CallbackInfo& info) {
    const std::vector<std::string> calls = double_->Calls();
    Napi::Array result = Napi::Array::New(info.Env(), calls.size());
    for (uint32_t index = 0; index < calls.size(); index++) result.Set(index, calls[index]);
    return result;
  }

  std::unique_ptr<FsDouble> double_;
};

}  // namespace

Napi::Function DefineFsDouble(Napi::Env env) { return JsFsDouble::Define(env); }

std::unique_ptr<FsApi> FsDoubleOf(const Napi::Object& object) { return JsFsDouble::Unwrap(object)->get().Api(); }

}  // namespace launchwarden
