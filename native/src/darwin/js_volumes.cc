#include "js_volumes.h"

#include <sys/mount.h>
#include <sys/param.h>

#include <cstring>
#include <string>
#include <vector>

namespace launchwarden {

namespace {

constexpr int kSpareVolumes = 16;

// MNT_NOWAIT: what the kernel has at hand; no volume is asked (getfsstat(2)). Unproven: never run on a Mac by its authors.
Napi::Value MountedVolumes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Array volumes = Napi::Array::New(env);
  const int count = getfsstat(nullptr, 0, MNT_NOWAIT);
  if (count <= 0) return volumes;
  std::vector<struct statfs> found(static_cast<size_t>(count + kSpareVolumes));
  const int got = getfsstat(found.data(), static_cast<int>(found.size() * sizeof(struct statfs)), MNT_NOWAIT);
  for (int index = 0; index < got; index++) {
    const struct statfs& one = found[static_cast<size_t>(index)];
    Napi::Object volume = Napi::Object::New(env);
    volume.Set("path", std::string(one.f_mntonname, strnlen(one.f_mntonname, sizeof one.f_mntonname)));
    volume.Set("type", std::string(one.f_fstypename, strnlen(one.f_fstypename, sizeof one.f_fstypename)));
    volume.Set("local", (one.f_flags & MNT_LOCAL) != 0);
    volumes.Set(static_cast<uint32_t>(index), volume);
  }
  return volumes;
}

}  // namespace

void DefineMountedVolumes(Napi::Env env, Napi::Object exports) {
  exports.Set("mountedVolumes", Napi::Function::New(env, MountedVolumes, "mountedVolumes"));
}

}  // namespace launchwarden
