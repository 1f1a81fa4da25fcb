#include "js_es_client.h"

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/channel.h"
#include "es/client.h"
#include "es/make_api.h"
#include "js_options.h"
#include "js_wake.h"
#ifdef LAUNCHWARDEN_DOUBLE
#include "double/js_double.h"
#endif

namespace launchwarden {

namespace {

using Targets = std::set<std::pair<EsTarget, std::string>>;

std::vector<EsKind> Kinds(const Napi::Object& options, const char* name) {
  std::vector<EsKind> kinds;
  const Napi::Value value = options.Get(name);
  if (!value.IsArray()) throw Napi::TypeError::New(options.Env(), std::string(name) + " must be an array");
  const Napi::Array list = value.As<Napi::Array>();
  for (uint32_t index = 0; index < list.Length(); index++) {
    const Napi::Value kind = list.Get(index);
    const double number = kind.IsNumber() ? kind.As<Napi::Number>().DoubleValue() : -1;
    if (!(number >= 0 && number < kEsKinds))
      throw Napi::RangeError::New(options.Env(), std::string(name) + " holds an unknown kind");
    kinds.push_back(static_cast<EsKind>(number));
  }
  return kinds;
}

void AddTargets(const Napi::Value& value, EsTarget type, Targets& targets) {
  if (!value.IsArray()) throw Napi::TypeError::New(value.Env(), "targets must be arrays of paths");
  const Napi::Array list = value.As<Napi::Array>();
  for (uint32_t index = 0; index < list.Length(); index++) {
    const Napi::Value path = list.Get(index);
    if (!path.IsString()) throw Napi::TypeError::New(value.Env(), "a target must be a path");
    targets.emplace(type, path.As<Napi::String>().Utf8Value());
  }
}

// All of it runs on the environment's own thread, as es_delete_client demands of who called es_new_client.
class JsEsClient : public Napi::ObjectWrap<JsEsClient> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "EndpointSecurityClient",
                       {
                           InstanceMethod<&JsEsClient::Start>("start"),
                           InstanceMethod<&JsEsClient::SetTargets>("setTargets"),
                           InstanceMethod<&JsEsClient::Stop>("stop"),
                           InstanceMethod<&JsEsClient::Take>("take"),
                           InstanceMethod<&JsEsClient::Counters>("counters"),
                       });
  }

  explicit JsEsClient(const Napi::CallbackInfo& info) : Napi::ObjectWrap<JsEsClient>(info) {
    const Napi::Env env = info.Env();
    if (info.Length() < 2 || !info[0].IsObject() || !info[1].IsFunction())
      throw Napi::TypeError::New(env, "EndpointSecurityClient takes options and a function");
    const Napi::Object options = info[0].As<Napi::Object>();
    plan_.process_kinds = Kinds(options, "processKinds");
    plan_.file_kinds = Kinds(options, "fileKinds");
    AddTargets(options.Get("prefixes"), EsTarget::kPrefix, plan_.targets);
    AddTargets(options.Get("literals"), EsTarget::kLiteral, plan_.targets);
    const auto capacity = static_cast<size_t>(NumberOption(options, "queueBytes", 32 << 20, 128 << 10, 1 << 30));
    wake_ = std::make_shared<JsWake>(env, info[1].As<Napi::Function>());
    channel_ = std::make_shared<Channel>(capacity, [wake = wake_] { wake->Call(); });
    client_ = std::make_unique<EsClient>(Api(info), channel_);
    napi_add_env_cleanup_hook(env, &JsEsClient::AtExit, this);
    hooked_ = true;
  }

  ~JsEsClient() override {
    Close();
    if (hooked_) napi_remove_env_cleanup_hook(Env(), &JsEsClient::AtExit, this);
  }

 private:
  static std::unique_ptr<EsApi> Api(const Napi::CallbackInfo& info) {
#ifdef LAUNCHWARDEN_DOUBLE
    if (info.Length() > 2 && info[2].IsObject()) return DoubleOf(info[2].As<Napi::Object>());
#endif
    return MakeEsApi();
  }

  static void AtExit(void* self) {
    static_cast<JsEsClient*>(self)->hooked_ = false;
    static_cast<JsEsClient*>(self)->Close();
  }

  bool Close() {
    const bool closed = client_ == nullptr || client_->Stop();
    if (wake_) wake_->Close();
    return closed;
  }

  // An EsResult.
  Napi::Value Start(const Napi::CallbackInfo& info) {
    if (started_) throw Napi::Error::New(info.Env(), "already started");
    started_ = true;
    const EsResult result = client_->Start(plan_);
    if (result == EsResult::kSuccess) {
      Ref();
      running_ = true;
    }
    return Napi::Number::New(info.Env(), static_cast<int>(result));
  }

  // False when the system refused one of them.
  Napi::Value SetTargets(const Napi::CallbackInfo& info) {
    Targets targets;
    AddTargets(info[0], EsTarget::kPrefix, targets);
    AddTargets(info[1], EsTarget::kLiteral, targets);
    return Napi::Boolean::New(info.Env(), client_->SetTargets(std::move(targets)));
  }

  // False when a client could not be closed. What was received can still be taken.
  Napi::Value Stop(const Napi::CallbackInfo& info) {
    const bool closed = Close();
    if (running_) Unref();
    running_ = false;
    return Napi::Boolean::New(info.Env(), closed);
  }

  Napi::Value Take(const Napi::CallbackInfo& info) {
    if (!channel_->Take(batch_)) return info.Env().Undefined();
    return Napi::Buffer<uint8_t>::Copy(info.Env(), batch_.data(), batch_.size());
  }

  Napi::Value Counters(const Napi::CallbackInfo& info) {
    Napi::Object result = Napi::Object::New(info.Env());
    const auto set = [&](const char* name, uint64_t value) { result.Set(name, static_cast<double>(value)); };
    const EsCounters& counters = client_->counters();
    set("received", counters.received);
    set("queued", counters.queued);
    set("filtered", counters.filtered);
    set("denied", counters.denied);
    set("after_stop", counters.after_stop);
    set("kernel_dropped", counters.kernel_dropped);
    set("muting_failed", counters.muting_failed);
    set("dropped", channel_->counters().dropped);
    set("unknown", counters.unknown);
    set("newer_version", counters.newer_version);
    set("kinds_refused", counters.kinds_refused);
    for (const auto& [type, count] : client_->UnknownTypes()) set(("unknown_type_" + std::to_string(type)).c_str(), count);
    result.Set("last_message_us", static_cast<double>(counters.last_message_us));
    return result;
  }

  EsPlan plan_;
  std::shared_ptr<JsWake> wake_;
  std::shared_ptr<Channel> channel_;
  std::unique_ptr<EsClient> client_;
  std::vector<uint8_t> batch_;
  bool hooked_ = false;
  bool started_ = false;
  bool running_ = false;
};

}  // namespace

Napi::Function DefineEsClient(Napi::Env env) { return JsEsClient::Define(env); }

}  // namespace launchwarden
