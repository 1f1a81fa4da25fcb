#pragma once
// A serial queue as a thread of its own (../core_services.cc).

struct dispatch_queue_s;
typedef dispatch_queue_s* dispatch_queue_t;
#define DISPATCH_QUEUE_SERIAL nullptr

extern "C" {
dispatch_queue_t dispatch_queue_create(const char* label, void* attributes);
void dispatch_sync_f(dispatch_queue_t queue, void* context, void (*work)(void*));
void dispatch_release(dispatch_queue_t queue);
}
