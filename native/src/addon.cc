#include <napi.h>

#include "js_scanner.h"

namespace {

// Everything that JavaScript can reach; src/sensors/addon/binding.ts has the types.
Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("ProcessScanner", launchwarden::DefineProcessScanner(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(launchwarden, Init)
