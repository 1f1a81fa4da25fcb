#pragma once

#include <EndpointSecurity/EndpointSecurity.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

// What of EndpointSecurity depends on the SDK: what an older one does not have, and that what is read lies where it did when
// this was written. Structures only grow at their ends or in what was reserved.
namespace launchwarden {

// Bootstrap check-in, of SDK 27: a process begins to serve a Mach service of its launchd job. launchd submits it.
#if __MAC_OS_X_VERSION_MAX_ALLOWED >= 270000
using BootstrapCheckIn = es_event_bootstrap_check_in_t;
constexpr uint32_t kBootstrapCheckInType = ES_EVENT_TYPE_NOTIFY_BOOTSTRAP_CHECK_IN;
#else
struct BootstrapCheckIn {
  es_process_t* instigator;  // null when it is gone
  audit_token_t instigator_token;
  es_string_token_t service_name;
};
// Types are numbered in the order in which the SDKs list them: 147 is the last of SDK 15.4, nine are reserved in 26, two
// come before it in 27. Unproven; a system that is older refuses it.
constexpr uint32_t kBootstrapCheckInType = 159;
#endif
static_assert(sizeof(BootstrapCheckIn) == 56);
static_assert(offsetof(BootstrapCheckIn, instigator) == 0 && offsetof(BootstrapCheckIn, instigator_token) == 8 &&
              offsetof(BootstrapCheckIn, service_name) == 40);

// Events of user space are pointers, as the first bytes of the union.
inline const BootstrapCheckIn* CheckInOf(const es_events_t& event) {
  const BootstrapCheckIn* found;
  std::memcpy(&found, &event, sizeof found);
  return found;
}

// Measured on the headers of SDK 14.2, for both architectures. On another system these are our own headers.
#ifdef __APPLE__
static_assert(sizeof(es_string_token_t) == 16 && sizeof(audit_token_t) == 32);
static_assert(offsetof(es_message_t, version) == 0 && offsetof(es_message_t, time) == 8 &&
              offsetof(es_message_t, process) == 40 && offsetof(es_message_t, seq_num) == 48 &&
              offsetof(es_message_t, action_type) == 56 && offsetof(es_message_t, action) == 60 &&
              offsetof(es_message_t, event_type) == 96 && offsetof(es_message_t, event) == 104 &&
              offsetof(es_message_t, global_seq_num) == 216);
static_assert(sizeof(es_events_t) == 104);
static_assert(offsetof(es_process_t, audit_token) == 0 && offsetof(es_process_t, ppid) == 32 &&
              offsetof(es_process_t, group_id) == 40 && offsetof(es_process_t, session_id) == 44 &&
              offsetof(es_process_t, codesigning_flags) == 48 && offsetof(es_process_t, is_platform_binary) == 52 &&
              offsetof(es_process_t, cdhash) == 54 && offsetof(es_process_t, signing_id) == 80 &&
              offsetof(es_process_t, team_id) == 96 && offsetof(es_process_t, executable) == 112 &&
              offsetof(es_process_t, start_time) == 128 && offsetof(es_process_t, responsible_audit_token) == 144 &&
              offsetof(es_process_t, parent_audit_token) == 176);
#if __MAC_OS_X_VERSION_MAX_ALLOWED < 150000
static_assert(sizeof(es_process_t) == 208);
#endif
#if __MAC_OS_X_VERSION_MAX_ALLOWED >= 260000
static_assert(offsetof(es_process_t, cs_validation_category) == 208);
#endif
// As reported of SDK 27.0.
#if __MAC_OS_X_VERSION_MAX_ALLOWED == 270000
static_assert(sizeof(es_process_t) == 248);
#endif
static_assert(offsetof(es_file_t, path) == 0 && offsetof(es_file_t, path_truncated) == 16 &&
              offsetof(es_file_t, stat) == 24 && sizeof(struct stat) == 144);
static_assert(offsetof(es_event_exec_t, target) == 0 && offsetof(es_event_exec_t, script) == 24 &&
              offsetof(es_event_exec_t, cwd) == 32);
static_assert(offsetof(es_event_create_t, destination_type) == 0 && offsetof(es_event_create_t, destination) == 8);
static_assert(offsetof(es_event_close_t, modified) == 0 && offsetof(es_event_close_t, target) == 8 &&
              offsetof(es_event_close_t, was_mapped_writable) == 16);
static_assert(offsetof(es_event_rename_t, source) == 0 && offsetof(es_event_rename_t, destination_type) == 8 &&
              offsetof(es_event_rename_t, destination) == 16);
static_assert(offsetof(es_event_link_t, target_dir) == 8 && offsetof(es_event_link_t, target_filename) == 16);
static_assert(offsetof(es_event_clone_t, target_dir) == 8 && offsetof(es_event_clone_t, target_name) == 16);
static_assert(offsetof(es_event_copyfile_t, target_file) == 8 && offsetof(es_event_copyfile_t, target_dir) == 16 &&
              offsetof(es_event_copyfile_t, target_name) == 24);
static_assert(offsetof(es_event_exchangedata_t, file1) == 0 && offsetof(es_event_exchangedata_t, file2) == 8);
static_assert(offsetof(es_event_setmode_t, target) == 8 && offsetof(es_event_setowner_t, gid) == 4 &&
              offsetof(es_event_setowner_t, target) == 8 && offsetof(es_event_open_t, file) == 8);
static_assert(offsetof(es_event_setextattr_t, extattr) == 8 && offsetof(es_event_deleteextattr_t, extattr) == 8);
static_assert(offsetof(es_btm_launch_item_t, legacy) == 4 && offsetof(es_btm_launch_item_t, managed) == 5 &&
              offsetof(es_btm_launch_item_t, uid) == 8 && offsetof(es_btm_launch_item_t, item_url) == 16 &&
              offsetof(es_btm_launch_item_t, app_url) == 32);
static_assert(offsetof(es_event_btm_launch_item_add_t, item) == 16 &&
              offsetof(es_event_btm_launch_item_add_t, executable_path) == 24 &&
              offsetof(es_event_btm_launch_item_remove_t, item) == 16);
#endif

}  // namespace launchwarden
