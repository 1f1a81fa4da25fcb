#include <napi.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "js_es_client.h"
#include "js_file_calls.h"
#include "js_fs_source.h"
#include "js_open_files.h"
#include "js_processes.h"
#include "js_scanner.h"
#ifdef __APPLE__
#include "js_unified_log.h"
#include "js_volumes.h"
#endif
#ifdef LAUNCHWARDEN_DOUBLE
#include "double/js_double.h"
#include "double/js_fs_double.h"
#include "double/js_log_double.h"
#endif

namespace {

// Everything that JavaScript can reach; src/sensors/addon/binding.ts has the types.
Napi::Object Init(Napi::Env env, Napi::Object exports) {
#ifdef __GLIBC__
  // Each thread of V8 has an arena, which would keep whatever the compiler once had: the limit grows with what is freed
  // unless it is set (mallopt(3), M_MMAP_THRESHOLD).
  mallopt(M_TRIM_THRESHOLD, 512 * 1024);
#endif
  exports.Set("ProcessScanner", launchwarden::DefineProcessScanner(env));
  exports.Set("EndpointSecurityClient", launchwarden::DefineEsClient(env));
  exports.Set("FileEventSource", launchwarden::DefineFsSource(env));
  exports.Set("fileCalls", launchwarden::DefineFileCalls(env));
  exports.Set("processes", launchwarden::DefineProcesses(env));
  launchwarden::DefineFindHolders(env, exports);
#ifdef __APPLE__
  launchwarden::DefineMountedVolumes(env, exports);
  launchwarden::DefineUnifiedLog(env, exports, "unifiedLog");
#endif
#ifdef LAUNCHWARDEN_DOUBLE
  exports.Set("EndpointSecurityDouble", launchwarden::DefineEsDouble(env));
  exports.Set("FileEventDouble", launchwarden::DefineFsDouble(env));
  launchwarden::DefineLogDouble(env, exports);
#endif
  return exports;
}

}  // namespace

NODE_API_MODULE(launchwarden, Init)
