#pragma once
// The few calls of CoreFoundation and FSEvents that the source makes, scripted by ../core_services.cc.
#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "dispatch/dispatch.h"

typedef const void* CFTypeRef;
typedef struct CFAllocator_* CFAllocatorRef;
typedef struct CFString_* CFStringRef;
typedef struct CFArray_* CFArrayRef;
typedef struct CFArray_* CFMutableArrayRef;
typedef struct CFUUID_* CFUUIDRef;
typedef double CFTimeInterval;
typedef long CFIndex;
typedef uint32_t CFStringEncoding;
typedef unsigned char Boolean;
struct CFArrayCallBacks {};

typedef uint32_t FSEventStreamCreateFlags;
typedef uint32_t FSEventStreamEventFlags;
typedef uint64_t FSEventStreamEventId;
typedef struct FSEventStream_* FSEventStreamRef;
typedef const struct FSEventStream_* ConstFSEventStreamRef;
struct FSEventStreamContext {
  CFIndex version;
  void* info;
  void* retain;
  void* release;
  void* describe;
};
typedef void (*FSEventStreamCallback)(ConstFSEventStreamRef, void*, size_t, void*, const FSEventStreamEventFlags*,
                                      const FSEventStreamEventId*);

enum {
  kFSEventStreamCreateFlagUseCFTypes = 0x1,
  kFSEventStreamCreateFlagNoDefer = 0x2,
  kFSEventStreamCreateFlagWatchRoot = 0x4,
  kFSEventStreamCreateFlagFileEvents = 0x10,
};
enum {
  kFSEventStreamEventFlagMustScanSubDirs = 0x1,
  kFSEventStreamEventFlagUserDropped = 0x2,
  kFSEventStreamEventFlagKernelDropped = 0x4,
  kFSEventStreamEventFlagEventIdsWrapped = 0x8,
  kFSEventStreamEventFlagHistoryDone = 0x10,
  kFSEventStreamEventFlagRootChanged = 0x20,
  kFSEventStreamEventFlagMount = 0x40,
  kFSEventStreamEventFlagUnmount = 0x80,
};
constexpr FSEventStreamEventId kFSEventStreamEventIdSinceNow = 0xFFFFFFFFFFFFFFFFull;
enum : CFStringEncoding { kCFStringEncodingUTF8 = 0x08000100 };

extern "C" {
extern const CFAllocatorRef kCFAllocatorDefault;
extern const CFArrayCallBacks kCFTypeArrayCallBacks;
void CFRelease(CFTypeRef);
CFMutableArrayRef CFArrayCreateMutable(CFAllocatorRef, CFIndex, const CFArrayCallBacks*);
void CFArrayAppendValue(CFMutableArrayRef, const void*);
CFStringRef CFStringCreateWithFileSystemRepresentation(CFAllocatorRef, const char*);
CFStringRef CFUUIDCreateString(CFAllocatorRef, CFUUIDRef);
Boolean CFStringGetCString(CFStringRef, char*, CFIndex, CFStringEncoding);

FSEventStreamRef FSEventStreamCreate(CFAllocatorRef, FSEventStreamCallback, FSEventStreamContext*, CFArrayRef,
                                     FSEventStreamEventId, CFTimeInterval, FSEventStreamCreateFlags);
void FSEventStreamSetDispatchQueue(FSEventStreamRef, dispatch_queue_t);
Boolean FSEventStreamStart(FSEventStreamRef);
FSEventStreamEventId FSEventStreamFlushAsync(FSEventStreamRef);
void FSEventStreamStop(FSEventStreamRef);
void FSEventStreamInvalidate(FSEventStreamRef);
void FSEventStreamRelease(FSEventStreamRef);
FSEventStreamEventId FSEventsGetCurrentEventId();
CFUUIDRef FSEventsCopyUUIDForDevice(dev_t);
}
