#include "fsevents/fs_api.h"

namespace launchwarden {

std::unique_ptr<FsApi> MakeFsApi() { return nullptr; }

}  // namespace launchwarden
