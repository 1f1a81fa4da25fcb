#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace launchwarden {

// FSEvents in our own types: the source above knows no FSEvent* name, so that it runs, and is tested, anywhere.

// What an event says (FSEventStreamEventFlags, FSEvents.h; darwin/fs_api.cc holds the values to Apple's).
enum FsFlag : uint32_t {
  kFsMustScanSubDirs = 0x1,  // events below the path were merged or lost
  kFsUserDropped = 0x2,
  kFsKernelDropped = 0x4,
  kFsEventIdsWrapped = 0x8,
  kFsHistoryDone = 0x10,
  kFsRootChanged = 0x20,
  kFsMount = 0x40,
  kFsUnmount = 0x80,
};

// Each of them means: what is known of the path and of all below it may be wrong.
constexpr uint32_t kFsRescan = kFsMustScanSubDirs | kFsUserDropped | kFsKernelDropped | kFsEventIdsWrapped |
                               kFsRootChanged | kFsMount | kFsUnmount;
// So many events were lost that no path says where.
constexpr uint32_t kFsLost = kFsUserDropped | kFsKernelDropped | kFsEventIdsWrapped;

// The path is valid during the handler's call alone.
struct FsEvent {
  std::string_view path;
  uint32_t flags = 0;
  uint64_t id = 0;
};

using FsHandler = std::function<void(const FsEvent&)>;

// One stream of the system. Its handler is called serially, on another thread.
class FsStream {
 public:
  virtual ~FsStream() = default;
  virtual bool Start() = 0;
  // Asks for what happened and was not delivered yet; the id up to which it then comes, 0 when nothing is under way.
  virtual uint64_t Flush() = 0;
  // Afterwards the handler is called no more.
  virtual void Close() = 0;
};

class FsApi {
 public:
  static constexpr uint64_t kSinceNow = ~uint64_t{0};

  virtual ~FsApi() = default;
  // A stream of file-level events of everything below the paths, which need not exist. Null when the system refuses.
  virtual std::unique_ptr<FsStream> Open(const std::vector<std::string>& paths, uint64_t since, FsHandler handler) = 0;
  // Which history the volume of a path has: another one, or none (empty), and ids from before say nothing.
  virtual std::string History(const std::string& path) = 0;
  // The newest id of the system.
  virtual uint64_t CurrentId() = 0;
};

// The system's own; null where there is none.
std::unique_ptr<FsApi> MakeFsApi();

}  // namespace launchwarden
