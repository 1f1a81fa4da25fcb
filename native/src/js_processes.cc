#include "js_processes.h"

#include <memory>
#include <string>
#include <vector>

#include "scan/process_reader.h"

namespace launchwarden {

namespace {

Napi::Object Facts(Napi::Env env, const ProcessFacts& facts) {
  Napi::Object one = Napi::Object::New(env);
  one.Set("pid", facts.pid);
  one.Set("ppid", facts.ppid);
  one.Set("pgid", facts.pgid);
  one.Set("sid", facts.sid);
  one.Set("startKey", std::to_string(facts.start));
  one.Set("startedAt", facts.start_us);
  one.Set("uid", facts.uid);
  one.Set("shortName", facts.short_name);
  if (!facts.executable.empty()) one.Set("executable", facts.executable);
  if (facts.arguments_known) {
    Napi::Array args = Napi::Array::New(env);
    for (size_t index = 0; index < facts.arguments.kept.size(); index++)
      args.Set(static_cast<uint32_t>(index), facts.arguments.kept[index]);
    one.Set("args", args);
  }
  return one;
}

// All processes, or those of the pids that are given, as they are now. What has ended is left out.
Napi::Value Processes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::unique_ptr<ProcessReader> reader = MakeProcessReader();
  if (const std::string trouble = reader->Open(); !trouble.empty()) throw Napi::Error::New(env, trouble);
  std::vector<int> pids;
  if (info.Length() > 0 && info[0].IsArray()) {
    const Napi::Array given = info[0].As<Napi::Array>();
    for (uint32_t index = 0; index < given.Length(); index++)
      pids.push_back(given.Get(index).ToNumber().Int32Value());
  } else if (!reader->List(pids)) {
    throw Napi::Error::New(env, "the processes cannot be listed");
  }
  Napi::Array result = Napi::Array::New(env);
  uint32_t count = 0;
  for (const int pid : pids) {
    ProcessFacts facts;
    if (reader->Read(pid, facts) != Seen::kProcess || facts.dead) continue;
    facts.pid = pid;
    result.Set(count++, Facts(env, facts));
  }
  return result;
}

}  // namespace

Napi::Function DefineProcesses(Napi::Env env) { return Napi::Function::New(env, Processes, "processes"); }

}  // namespace launchwarden
