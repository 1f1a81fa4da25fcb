#pragma once

#include <napi.h>

#include <mutex>

namespace launchwarden {

// Calls a JavaScript function from any thread. Keeps no process alive; after Close, and after the environment has gone,
// calls do nothing. What the function throws becomes an uncaught exception of the environment.
class JsWake {
 public:
  JsWake(Napi::Env env, Napi::Function callback) {
    napi_value name = Napi::String::New(env, "launchwarden");
    if (napi_create_threadsafe_function(env, callback, nullptr, name, 1, 1, nullptr, nullptr, nullptr, &CallJs,
                                        &function_) != napi_ok)
      throw Napi::Error::New(env);
    napi_unref_threadsafe_function(env, function_);
  }
  ~JsWake() { Close(); }
  JsWake(const JsWake&) = delete;
  JsWake& operator=(const JsWake&) = delete;

  // A full queue means that a call is on its way already and has not begun, which is as good.
  void Call() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (open_) napi_call_threadsafe_function(function_, nullptr, napi_tsfn_nonblocking);
  }

  void Close() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!open_) return;
    open_ = false;
    napi_release_threadsafe_function(function_, napi_tsfn_release);
  }

 private:
  static void CallJs(napi_env env, napi_value callback, void*, void*) {
    // Null while the environment is torn down.
    if (env == nullptr || callback == nullptr) return;
    napi_value self, result;
    if (napi_get_undefined(env, &self) != napi_ok) return;
    if (napi_call_function(env, self, callback, 0, nullptr, &result) != napi_pending_exception) return;
    napi_value error;
    if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
  }

  std::mutex mutex_;
  bool open_ = true;
  napi_threadsafe_function function_ = nullptr;
};

}  // namespace launchwarden
