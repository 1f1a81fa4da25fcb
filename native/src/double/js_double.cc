#include "double/js_double.h"

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "double/es_double.h"

namespace launchwarden {

namespace {

double Number(const Napi::Object& from, const char* name, double fallback = 0) {
  const Napi::Value value = from.Get(name);
  return value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : fallback;
}

bool Truth(const Napi::Object& from, const char* name) { return from.Get(name).ToBoolean(); }

// Strings and, for what is no UTF-8, buffers. Absent is an empty token without data, as the system may send it.
std::string_view Text(const Napi::Object& from, const char* name, ScriptedMessage& keeper);

std::string_view TextOf(const Napi::Value& value, ScriptedMessage& keeper) {
  if (value.IsBuffer()) {
    const auto bytes = value.As<Napi::Buffer<char>>();
    return keeper.Keep(std::string(bytes.Data(), bytes.Length()));
  }
  return value.IsString() ? keeper.Keep(value.As<Napi::String>().Utf8Value()) : std::string_view();
}

std::string_view Text(const Napi::Object& from, const char* name, ScriptedMessage& keeper) {
  return TextOf(from.Get(name), keeper);
}

EsProcess Process(const Napi::Object& from, ScriptedMessage& keeper) {
  EsProcess process;
  process.token = {static_cast<int>(Number(from, "pid")), static_cast<int>(Number(from, "pidversion"))};
  process.parent = {static_cast<int>(Number(from, "parentPid")), static_cast<int>(Number(from, "parentPidversion"))};
  process.responsible = {static_cast<int>(Number(from, "responsiblePid")),
                         static_cast<int>(Number(from, "responsiblePidversion"))};
  process.ppid = static_cast<int>(Number(from, "ppid"));
  process.ruid = static_cast<uint32_t>(Number(from, "ruid"));
  process.euid = static_cast<uint32_t>(Number(from, "euid"));
  process.rgid = static_cast<uint32_t>(Number(from, "rgid"));
  process.egid = static_cast<uint32_t>(Number(from, "egid"));
  process.group = static_cast<int>(Number(from, "group"));
  process.session = static_cast<int>(Number(from, "session"));
  process.signing_flags = static_cast<uint32_t>(Number(from, "signingFlags"));
  process.platform_binary = Truth(from, "platformBinary");
  process.start_us = static_cast<int64_t>(Number(from, "startUs"));
  process.category = static_cast<int>(Number(from, "category", -1));
  process.signing_id = Text(from, "signingId", keeper);
  process.team_id = Text(from, "teamId", keeper);
  process.executable = Text(from, "executable", keeper);
  return process;
}

EsFile File(const Napi::Object& from, ScriptedMessage& keeper) {
  EsFile file;
  file.path = Text(from, "path", keeper);
  file.truncated = Truth(from, "truncated");
  const std::string inode(Text(from, "inode", keeper));
  file.inode = inode.empty() ? 0 : std::stoull(inode);
  file.size = static_cast<int64_t>(Number(from, "size"));
  file.mode = static_cast<uint32_t>(Number(from, "mode"));
  file.uid = static_cast<uint32_t>(Number(from, "uid"));
  file.gid = static_cast<uint32_t>(Number(from, "gid"));
  file.links = static_cast<uint32_t>(Number(from, "links", 1));
  file.changed_us = static_cast<int64_t>(Number(from, "changedUs"));
  return file;
}

std::string_view Argument(const void* source, size_t index) {
  return static_cast<const ScriptedMessage*>(source)->arguments[index];
}

void Read(const Napi::Object& from, ScriptedMessage& to) {
  EsMessage& message = to.message;
  message.kind = static_cast<EsKind>(Number(from, "kind"));
  message.version = static_cast<uint32_t>(Number(from, "version", 7));
  message.time_ns = static_cast<int64_t>(Number(from, "timeUs")) * 1000 + static_cast<int64_t>(Number(from, "timeNs"));
  to.skip = static_cast<uint64_t>(Number(from, "skip"));
  if (from.Get("process").IsObject()) message.process = Process(from.Get("process").As<Napi::Object>(), to);
  if (from.Get("actor").IsObject()) {
    message.has_actor = true;
    message.actor = Process(from.Get("actor").As<Napi::Object>(), to);
  }
  if (from.Get("instigator").IsObject()) {
    message.has_instigator = true;
    message.instigator = Process(from.Get("instigator").As<Napi::Object>(), to);
  }
  if (from.Get("file").IsObject()) {
    message.has_file = true;
    message.file = File(from.Get("file").As<Napi::Object>(), to);
  }
  if (from.Get("other").IsObject()) {
    message.has_other = true;
    message.other = File(from.Get("other").As<Napi::Object>(), to);
  }
  message.directory = Text(from, "directory", to);
  message.name = Text(from, "name", to);
  message.created = !Truth(from, "denied");
  message.denied = !message.created && message.kind != EsKind::kCreate;
  message.working_directory = Text(from, "workingDirectory", to);
  message.script = Text(from, "script", to);
  message.exit_status = static_cast<int>(Number(from, "exitStatus"));
  message.modified = Truth(from, "modified");
  message.mapped_writable = Truth(from, "mappedWritable");
  message.mode = static_cast<uint32_t>(Number(from, "mode"));
  message.uid = static_cast<uint32_t>(Number(from, "uid"));
  message.gid = static_cast<uint32_t>(Number(from, "gid"));
  message.open_flags = static_cast<uint32_t>(Number(from, "openFlags"));
  message.attribute = Text(from, "attribute", to);
  message.mount_from = Text(from, "mountFrom", to);
  message.item_type = static_cast<int>(Number(from, "itemType"));
  message.item_legacy = Truth(from, "itemLegacy");
  message.item_managed = Truth(from, "itemManaged");
  message.item_uid = static_cast<uint32_t>(Number(from, "itemUid"));
  message.item_url = Text(from, "itemUrl", to);
  message.app_url = Text(from, "appUrl", to);
  message.item_executable = Text(from, "itemExecutable", to);
  message.service = Text(from, "service", to);
  message.unknown = from.Has("unknownType");
  message.type = static_cast<uint32_t>(Number(from, "unknownType"));
  if (from.Get("args").IsArray()) {
    const Napi::Array args = from.Get("args").As<Napi::Array>();
    for (uint32_t index = 0; index < args.Length(); index++) to.arguments.push_back(TextOf(args.Get(index), to));
  }
}

class JsDouble : public Napi::ObjectWrap<JsDouble> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "EndpointSecurityDouble",
                       {
                           InstanceMethod<&JsDouble::Play>("play"),
                           InstanceMethod<&JsDouble::Playing>("playing"),
                           InstanceMethod<&JsDouble::Calls>("calls"),
                           InstanceMethod<&JsDouble::Objects>("objects"),
                       });
  }

  explicit JsDouble(const Napi::CallbackInfo& info) : Napi::ObjectWrap<JsDouble>(info) {
    EsScript script;
    if (info.Length() > 0 && info[0].IsObject()) {
      const Napi::Object given = info[0].As<Napi::Object>();
      if (given.Get("connect").IsArray()) {
        const Napi::Array answers = given.Get("connect").As<Napi::Array>();
        for (uint32_t index = 0; index < answers.Length(); index++)
          script.connect.push_back(static_cast<EsResult>(answers.Get(index).ToNumber().Int32Value()));
      }
      script.subscribe_fails = Truth(given, "subscribeFails");
      script.muting_fails = Truth(given, "mutingFails");
      script.close_fails = Truth(given, "closeFails");
      script.late = Truth(given, "late");
      script.old_system = Truth(given, "oldSystem");
    }
    double_ = std::make_unique<EsDouble>(std::move(script));
    napi_add_env_cleanup_hook(info.Env(), &JsDouble::AtExit, this);
    hooked_ = true;
  }

  ~JsDouble() override {
    if (hooked_) napi_remove_env_cleanup_hook(Env(), &JsDouble::AtExit, this);
  }

  EsDouble& get() { return *double_; }

 private:
  static void AtExit(void* self) {
    static_cast<JsDouble*>(self)->hooked_ = false;
    static_cast<JsDouble*>(self)->double_->Halt();
  }

  void Play(const Napi::CallbackInfo& info) {
    const Napi::Array given = info[0].As<Napi::Array>();
    auto messages = std::make_shared<std::vector<ScriptedMessage>>(given.Length());
    for (uint32_t index = 0; index < given.Length(); index++) {
      ScriptedMessage& one = (*messages)[index];
      Read(given.Get(index).As<Napi::Object>(), one);
      one.message.argument_count = one.arguments.size();
      one.message.argument = &Argument;
      one.message.argument_source = &one;
    }
    double_->Play(messages, info[1].IsNumber() ? static_cast<uint64_t>(info[1].ToNumber().Int64Value()) : 1);
  }

  Napi::Value Playing(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), double_->Playing()); }

  Napi::Value Calls(const Napi::CallbackInfo& info) {
    const std::vector<std::string> calls = double_->Calls();
    Napi::Array result = Napi::Array::New(info.Env(), calls.size());
    for (uint32_t index = 0; index < calls.size(); index++) result.Set(index, calls[index]);
    return result;
  }

  // The bridge that ours is measured against: every record of a batch as an object made by Node-API calls, each number
  // and text a property of its own.
  Napi::Value Objects(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const auto batch = info[0].As<Napi::Buffer<uint8_t>>();
    static const char* const kNames[] = {
        "timeUs", "timeNs", "version", "parts", "detail", "detail2", "pid", "pidversion", "ruid", "euid", "rgid",
        "egid", "ppid", "group", "session", "signingFlags", "platformBinary", "startUs", "parentPid",
        "parentPidversion", "responsiblePid", "responsiblePidversion", "category", "argumentCount"};
    static const char* const kTexts[] = {"executable", "signingId", "teamId", "cdhash", "workingDirectory", "script"};
    // Names are made once a batch, as a careful bridge would.
    std::vector<Napi::String> names, texts_of;
    for (const char* name : kNames) names.push_back(Napi::String::New(env, name));
    for (const char* name : kTexts) texts_of.push_back(Napi::String::New(env, name));
    Napi::Array result = Napi::Array::New(env);
    uint32_t index = 0;
    for (size_t at = 0; at < batch.Length();) {
      uint32_t header[4];
      std::memcpy(header, batch.Data() + at, sizeof header);
      const size_t numbers = header[1] >> 16, texts = header[2];
      const uint8_t* from = batch.Data() + at + sizeof header;
      Napi::Object object = Napi::Object::New(env);
      object.Set("kind", Napi::Number::New(env, header[1] & 0xffff));
      for (size_t number = 0; number < numbers && number < std::size(kNames); number++) {
        double value;
        std::memcpy(&value, from + number * 8, sizeof value);
        object.Set(names[number], Napi::Number::New(env, value));
      }
      const uint8_t* lengths = from + numbers * 8;
      const char* bytes = reinterpret_cast<const char*>(lengths + ((texts * 4 + 7) & ~size_t{7}));
      Napi::Array args = Napi::Array::New(env);
      for (size_t text = 0; text < texts; text++) {
        uint32_t length;
        std::memcpy(&length, lengths + text * 4, sizeof length);
        const Napi::String value = Napi::String::New(env, bytes, length);
        if (text < std::size(kTexts)) object.Set(texts_of[text], value);
        else args.Set(static_cast<uint32_t>(text - std::size(kTexts)), value);
        bytes += length;
      }
      object.Set("args", args);
      result.Set(index++, object);
      at += header[0];
    }
    return result;
  }

  std::unique_ptr<EsDouble> double_;
  bool hooked_ = false;
};

}  // namespace

Napi::Function DefineEsDouble(Napi::Env env) { return JsDouble::Define(env); }

std::unique_ptr<EsApi> DoubleOf(const Napi::Object& object) { return JsDouble::Unwrap(object)->get().Api(); }

}  // namespace launchwarden
