#include "core_services.h"

#include <CoreServices/CoreServices.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace {

std::atomic<int> alive{0};
std::mutex mutex;
scripted::Streams script;
std::vector<std::string> calls;
FSEventStreamRef open_stream = nullptr;
uint64_t newest = 500;

void Called(const std::string& call) {
  std::lock_guard<std::mutex> lock(mutex);
  calls.push_back(call);
}

}  // namespace

// What CFRelease gets is one of these.
struct CFObject {
  CFObject() { alive++; }
  virtual ~CFObject() { alive--; }
};
struct CFString_ : CFObject {
  std::string text;
};
struct CFArray_ : CFObject {
  std::vector<std::string> texts;
};
struct CFUUID_ : CFObject {};

// Its thread ends it: to release a queue is not to wait for what it does.
struct dispatch_queue_s {
  dispatch_queue_s() {
    alive++;
    std::thread([this] {
      Run();
      delete this;
    }).detach();
  }
  ~dispatch_queue_s() { alive--; }

  void Release() {
    std::lock_guard<std::mutex> lock(mutex);
    ending = true;
    changed.notify_all();
  }

  void Add(std::function<void()> work) {
    std::lock_guard<std::mutex> lock(mutex);
    waiting.push_back(std::move(work));
    changed.notify_all();
  }

  void Run() {
    for (;;) {
      std::function<void()> work;
      {
        std::unique_lock<std::mutex> lock(mutex);
        changed.wait(lock, [this] { return ending || !waiting.empty(); });
        if (waiting.empty()) return;
        work = std::move(waiting.front());
        waiting.pop_front();
      }
      work();
    }
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> waiting;
  bool ending = false;
};

struct FSEventStream_ {
  FSEventStream_() { alive++; }
  ~FSEventStream_() { alive--; }
  FSEventStreamCallback callback = nullptr;
  void* info = nullptr;
  dispatch_queue_t queue = nullptr;
  bool started = false;
  // Read on the queue: after an invalidation nothing more is called.
  std::shared_ptr<std::atomic<bool>> valid = std::make_shared<std::atomic<bool>>(true);
};

extern "C" {

const CFAllocatorRef kCFAllocatorDefault = nullptr;
const CFArrayCallBacks kCFTypeArrayCallBacks{};

void CFRelease(CFTypeRef object) { delete const_cast<CFObject*>(static_cast<const CFObject*>(object)); }

CFMutableArrayRef CFArrayCreateMutable(CFAllocatorRef, CFIndex, const CFArrayCallBacks*) {
  std::lock_guard<std::mutex> lock(mutex);
  return script.no_array ? nullptr : new CFArray_;
}

// Keeps a copy: what was appended is released by who made it.
void CFArrayAppendValue(CFMutableArrayRef array, const void* value) {
  array->texts.push_back(static_cast<const CFString_*>(static_cast<const CFObject*>(value))->text);
}

CFStringRef CFStringCreateWithFileSystemRepresentation(CFAllocatorRef, const char* path) {
  auto* made = new CFString_;
  made->text = path;
  return made;
}

CFStringRef CFUUIDCreateString(CFAllocatorRef, CFUUIDRef) {
  auto* made = new CFString_;
  made->text = "6D2E3C0E-9B5D-4D2F-8F38-0123456789AB";
  return made;
}

Boolean CFStringGetCString(CFStringRef text, char* buffer, CFIndex size, CFStringEncoding) {
  if (static_cast<CFIndex>(text->text.size()) >= size) return 0;
  std::memcpy(buffer, text->text.c_str(), text->text.size() + 1);
  return 1;
}

FSEventStreamRef FSEventStreamCreate(CFAllocatorRef, FSEventStreamCallback callback, FSEventStreamContext* context,
                                     CFArrayRef paths, FSEventStreamEventId since, CFTimeInterval,
                                     FSEventStreamCreateFlags flags) {
  std::string call = "create ";
  for (const std::string& path : paths->texts) call += (&path == &paths->texts.front() ? "" : ",") + path;
  Called(call + " " + std::to_string(since) + " " + std::to_string(flags));
  std::lock_guard<std::mutex> lock(mutex);
  if (script.create_fails) return nullptr;
  auto* stream = new FSEventStream_;
  stream->callback = callback;
  stream->info = context->info;
  return open_stream = stream;
}

void FSEventStreamSetDispatchQueue(FSEventStreamRef stream, dispatch_queue_t queue) {
  Called("queue");
  stream->queue = queue;
}

Boolean FSEventStreamStart(FSEventStreamRef stream) {
  Called("start");
  std::lock_guard<std::mutex> lock(mutex);
  return stream->started = !script.start_fails;
}

FSEventStreamEventId FSEventStreamFlushAsync(FSEventStreamRef) {
  std::lock_guard<std::mutex> lock(mutex);
  return newest;
}

void FSEventStreamStop(FSEventStreamRef) { Called("stop"); }

void FSEventStreamInvalidate(FSEventStreamRef stream) {
  Called("invalidate");
  std::lock_guard<std::mutex> lock(mutex);
  *stream->valid = false;
  if (open_stream == stream) open_stream = nullptr;
}

void FSEventStreamRelease(FSEventStreamRef stream) { delete stream; }

FSEventStreamEventId FSEventsGetCurrentEventId() {
  std::lock_guard<std::mutex> lock(mutex);
  return newest;
}

CFUUIDRef FSEventsCopyUUIDForDevice(dev_t) {
  std::lock_guard<std::mutex> lock(mutex);
  return script.no_history ? nullptr : new CFUUID_;
}

dispatch_queue_t dispatch_queue_create(const char*, void*) { return new dispatch_queue_s; }

void dispatch_sync_f(dispatch_queue_t queue, void* context, void (*work)(void*)) {
  std::mutex done_mutex;
  std::condition_variable done;
  bool over = false;
  queue->Add([&] {
    work(context);
    std::lock_guard<std::mutex> lock(done_mutex);
    over = true;
    done.notify_all();
  });
  std::unique_lock<std::mutex> lock(done_mutex);
  done.wait(lock, [&] { return over; });
}

void dispatch_release(dispatch_queue_t queue) { queue->Release(); }

}  // extern "C"

namespace scripted {

void SetStreams(const Streams& given) {
  std::lock_guard<std::mutex> lock(mutex);
  script = given;
  calls.clear();
}

bool Deliver(std::vector<Delivered> events) {
  std::lock_guard<std::mutex> lock(mutex);
  FSEventStreamRef stream = open_stream;
  if (stream == nullptr || !stream->started) return false;
  for (const Delivered& one : events) newest = one.id > newest ? one.id : newest;
  stream->queue->Add([stream, valid = stream->valid, events = std::move(events)] {
    if (!*valid) return;
    std::vector<const char*> paths;
    std::vector<FSEventStreamEventFlags> flags;
    std::vector<FSEventStreamEventId> ids;
    for (const Delivered& one : events) {
      paths.push_back(one.no_path ? nullptr : one.path.c_str());
      flags.push_back(one.flags);
      ids.push_back(one.id);
    }
    stream->callback(stream, stream->info, events.size(), const_cast<char**>(const_cast<const char**>(paths.data())),
                     flags.data(), ids.data());
  });
  return true;
}

void Drain() {
  dispatch_queue_t queue = nullptr;
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (open_stream != nullptr) queue = open_stream->queue;
  }
  if (queue != nullptr) dispatch_sync_f(queue, nullptr, [](void*) {});
}

int Alive() { return alive; }

std::vector<std::string> StreamCalls() {
  std::lock_guard<std::mutex> lock(mutex);
  return calls;
}

}  // namespace scripted
