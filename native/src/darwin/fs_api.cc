#include "fsevents/fs_api.h"

#include <CoreServices/CoreServices.h>
#include <dispatch/dispatch.h>
#include <sys/stat.h>

#include <utility>

namespace launchwarden {

namespace {

constexpr bool Same(uint32_t ours, uint32_t apples) { return ours == apples; }
static_assert(Same(kFsMustScanSubDirs, kFSEventStreamEventFlagMustScanSubDirs) &&
              Same(kFsUserDropped, kFSEventStreamEventFlagUserDropped) &&
              Same(kFsKernelDropped, kFSEventStreamEventFlagKernelDropped) &&
              Same(kFsEventIdsWrapped, kFSEventStreamEventFlagEventIdsWrapped) &&
              Same(kFsHistoryDone, kFSEventStreamEventFlagHistoryDone) &&
              Same(kFsRootChanged, kFSEventStreamEventFlagRootChanged) &&
              Same(kFsMount, kFSEventStreamEventFlagMount) &&
              Same(kFsUnmount, kFSEventStreamEventFlagUnmount));
static_assert(FsApi::kSinceNow == kFSEventStreamEventIdSinceNow);

// Each event as soon as it is known: the latency is 0, and NoDefer keeps a first one from waiting for others.
constexpr FSEventStreamCreateFlags kFlags = kFSEventStreamCreateFlagFileEvents | kFSEventStreamCreateFlagWatchRoot |
                                            kFSEventStreamCreateFlagNoDefer;

// A reference of CoreFoundation's that is released when it goes.
template <typename T>
class Owned {
 public:
  explicit Owned(T value) : value_(value) {}
  ~Owned() {
    if (value_ != nullptr) CFRelease(value_);
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  T get() const { return value_; }

 private:
  T value_;
};

class Stream final : public FsStream {
 public:
  explicit Stream(FsHandler handler) : handler_(std::move(handler)) {}
  ~Stream() override { Close(); }

  bool Create(const std::vector<std::string>& paths, uint64_t since) {
    Owned<CFMutableArrayRef> list(CFArrayCreateMutable(kCFAllocatorDefault, 0, &kCFTypeArrayCallBacks));
    if (list.get() == nullptr) return false;
    for (const std::string& path : paths) {
      Owned<CFStringRef> text(CFStringCreateWithFileSystemRepresentation(kCFAllocatorDefault, path.c_str()));
      if (text.get() == nullptr) return false;
      CFArrayAppendValue(list.get(), text.get());
    }
    FSEventStreamContext context = {0, this, nullptr, nullptr, nullptr};
    stream_ = FSEventStreamCreate(kCFAllocatorDefault, &Stream::Received, &context, list.get(), since, 0, kFlags);
    if (stream_ == nullptr) return false;
    queue_ = dispatch_queue_create("com.launchwarden.fsevents", DISPATCH_QUEUE_SERIAL);
    FSEventStreamSetDispatchQueue(stream_, queue_);
    return true;
  }

  bool Start() override {
    started_ = FSEventStreamStart(stream_);
    return started_;
  }

  uint64_t Flush() override { return started_ ? FSEventStreamFlushAsync(stream_) : 0; }

  void Close() override {
    if (stream_ == nullptr) return;
    if (started_) FSEventStreamStop(stream_);
    FSEventStreamInvalidate(stream_);
    // A call that is under way ends first: `this` is what it works on.
    dispatch_sync_f(queue_, nullptr, [](void*) {});
    FSEventStreamRelease(stream_);
    stream_ = nullptr;
    dispatch_release(queue_);
    queue_ = nullptr;
  }

 private:
  // Without UseCFTypes the paths are an array of C strings (FSEventStreamCallback).
  static void Received(ConstFSEventStreamRef, void* self, size_t count, void* paths,
                       const FSEventStreamEventFlags* flags, const FSEventStreamEventId* ids) {
    const auto* texts = static_cast<const char* const*>(paths);
    for (size_t index = 0; index < count; index++) {
      FsEvent event;
      if (texts[index] != nullptr) event.path = texts[index];
      event.flags = flags[index];
      event.id = ids[index];
      static_cast<Stream*>(self)->handler_(event);
    }
  }

  const FsHandler handler_;
  FSEventStreamRef stream_ = nullptr;
  dispatch_queue_t queue_ = nullptr;
  bool started_ = false;
};

class System final : public FsApi {
 public:
  std::unique_ptr<FsStream> Open(const std::vector<std::string>& paths, uint64_t since, FsHandler handler) override {
    auto stream = std::make_unique<Stream>(std::move(handler));
    if (!stream->Create(paths, since)) return nullptr;
    return stream;
  }

  std::string History(const std::string& path) override {
    struct stat place;
    if (stat(path.c_str(), &place) != 0) return "";
    Owned<CFUUIDRef> uuid(FSEventsCopyUUIDForDevice(place.st_dev));
    if (uuid.get() == nullptr) return "";
    Owned<CFStringRef> text(CFUUIDCreateString(kCFAllocatorDefault, uuid.get()));
    char bytes[64];
    if (text.get() == nullptr || !CFStringGetCString(text.get(), bytes, sizeof bytes, kCFStringEncodingUTF8)) return "";
    return bytes;
  }

  uint64_t CurrentId() override { return FSEventsGetCurrentEventId(); }
};

}  // namespace

std::unique_ptr<FsApi> MakeFsApi() { return std::make_unique<System>(); }

}  // namespace launchwarden
