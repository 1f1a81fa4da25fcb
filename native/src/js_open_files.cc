#include "js_open_files.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "files/open_files.h"
#include "scan/clocks.h"

namespace launchwarden {

namespace {

constexpr size_t kMostPaths = 16;
constexpr size_t kMostHolders = 64;

class HolderSearch : public Napi::AsyncWorker {
 public:
  HolderSearch(Napi::Env env, std::vector<std::string> paths, int64_t budget_us)
      : Napi::AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)), paths_(std::move(paths)), budget_us_(budget_us) {}

  Napi::Promise Promise() const { return deferred_.Promise(); }

  void Execute() override {
    const int64_t begun = SteadyUs();
    whole_ = FindHolders(paths_, begun + budget_us_, holders_);
    took_us_ = SteadyUs() - begun;
    if (holders_.size() > kMostHolders) holders_.resize(kMostHolders);
  }

  void OnOK() override {
    const Napi::Env env = Env();
    Napi::Array holders = Napi::Array::New(env, holders_.size());
    for (size_t index = 0; index < holders_.size(); index++) {
      const Holder& holder = holders_[index];
      Napi::Object one = Napi::Object::New(env);
      one.Set("path", static_cast<double>(holder.path));
      one.Set("pid", holder.pid);
      one.Set("how", holder.how == Holder::How::kWrite ? "write" : holder.how == Holder::How::kRead ? "read" : "folder");
      one.Set("executable", holder.executable);
      one.Set("uid", static_cast<double>(holder.uid));
      holders.Set(static_cast<uint32_t>(index), one);
    }
    Napi::Object result = Napi::Object::New(env);
    result.Set("holders", holders);
    result.Set("cut", !whole_);
    result.Set("tookUs", static_cast<double>(took_us_));
    deferred_.Resolve(result);
  }

  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  const Napi::Promise::Deferred deferred_;
  const std::vector<std::string> paths_;
  const int64_t budget_us_;
  std::vector<Holder> holders_;
  bool whole_ = false;
  int64_t took_us_ = 0;
};

Napi::Value FindHoldersOf(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() < 2 || !info[0].IsArray() || !info[1].IsNumber())
    throw Napi::TypeError::New(env, "findHolders takes paths and microseconds");
  const Napi::Array given = info[0].As<Napi::Array>();
  std::vector<std::string> paths;
  for (uint32_t index = 0; index < given.Length() && paths.size() < kMostPaths; index++) {
    const Napi::Value path = given[index];
    if (!path.IsString()) throw Napi::TypeError::New(env, "a path is a string");
    paths.push_back(path.As<Napi::String>().Utf8Value());
  }
  const auto budget = static_cast<int64_t>(std::clamp(info[1].As<Napi::Number>().DoubleValue(), 0.0, 1e7));
  auto* search = new HolderSearch(env, std::move(paths), budget);
  const Napi::Promise promise = search->Promise();
  search->Queue();
  return promise;
}

}  // namespace

void DefineFindHolders(Napi::Env env, Napi::Object exports) {
  exports.Set("findHolders", Napi::Function::New(env, FindHoldersOf, "findHolders"));
}

}  // namespace launchwarden
