#pragma once
// The part of EndpointSecurity that the client uses, scripted by ../../endpoint_security.cc: written from what Apple
// documents of each call and event. Fields lie in the documented order; what only pads or is reserved is left out.
// __MAC_OS_X_VERSION_MAX_ALLOWED says which SDK it stands for.
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "../mach/mach.h"
#include "../sys/mount.h"

#define st_ctimespec st_ctim

struct es_client_s;
typedef es_client_s es_client_t;

enum es_event_type_t : uint32_t {
  ES_EVENT_TYPE_NOTIFY_EXEC = 9,
  ES_EVENT_TYPE_NOTIFY_OPEN = 10,
  ES_EVENT_TYPE_NOTIFY_FORK = 11,
  ES_EVENT_TYPE_NOTIFY_CLOSE = 12,
  ES_EVENT_TYPE_NOTIFY_CREATE = 13,
  ES_EVENT_TYPE_NOTIFY_EXCHANGEDATA = 14,
  ES_EVENT_TYPE_NOTIFY_EXIT = 15,
  ES_EVENT_TYPE_NOTIFY_LINK = 19,
  ES_EVENT_TYPE_NOTIFY_MOUNT = 22,
  ES_EVENT_TYPE_NOTIFY_RENAME = 25,
  ES_EVENT_TYPE_NOTIFY_SETEXTATTR = 27,
  ES_EVENT_TYPE_NOTIFY_SETMODE = 29,
  ES_EVENT_TYPE_NOTIFY_SETOWNER = 30,
  ES_EVENT_TYPE_NOTIFY_UNLINK = 32,
  ES_EVENT_TYPE_NOTIFY_TRUNCATE = 41,
  ES_EVENT_TYPE_NOTIFY_CLONE = 61,
  ES_EVENT_TYPE_NOTIFY_DELETEEXTATTR = 70,
  ES_EVENT_TYPE_NOTIFY_COPYFILE = 110,
  ES_EVENT_TYPE_NOTIFY_BTM_LAUNCH_ITEM_ADD = 124,
  ES_EVENT_TYPE_NOTIFY_BTM_LAUNCH_ITEM_REMOVE = 125,
#if __MAC_OS_X_VERSION_MAX_ALLOWED >= 270000
  ES_EVENT_TYPE_NOTIFY_BOOTSTRAP_CHECK_IN = 159,
#endif
  ES_EVENT_TYPE_LAST = 4'000,
};

typedef enum { ES_ACTION_TYPE_AUTH, ES_ACTION_TYPE_NOTIFY } es_action_type_t;
typedef enum { ES_AUTH_RESULT_ALLOW, ES_AUTH_RESULT_DENY } es_auth_result_t;
typedef enum { ES_RESULT_TYPE_AUTH, ES_RESULT_TYPE_FLAGS } es_result_type_t;
typedef enum { ES_RETURN_SUCCESS, ES_RETURN_ERROR } es_return_t;
typedef enum { ES_RESPOND_RESULT_SUCCESS } es_respond_result_t;
typedef enum { ES_DESTINATION_TYPE_EXISTING_FILE, ES_DESTINATION_TYPE_NEW_PATH } es_destination_type_t;
typedef enum { ES_MUTE_INVERSION_TYPE_PROCESS, ES_MUTE_INVERSION_TYPE_PATH, ES_MUTE_INVERSION_TYPE_TARGET_PATH } es_mute_inversion_type_t;
typedef enum {
  ES_MUTE_PATH_TYPE_PREFIX,
  ES_MUTE_PATH_TYPE_LITERAL,
  ES_MUTE_PATH_TYPE_TARGET_PREFIX,
  ES_MUTE_PATH_TYPE_TARGET_LITERAL,
} es_mute_path_type_t;
enum es_new_client_result_t : uint32_t {
  ES_NEW_CLIENT_RESULT_SUCCESS,
  ES_NEW_CLIENT_RESULT_ERR_INVALID_ARGUMENT,
  ES_NEW_CLIENT_RESULT_ERR_INTERNAL,
  ES_NEW_CLIENT_RESULT_ERR_NOT_ENTITLED,
  ES_NEW_CLIENT_RESULT_ERR_NOT_PERMITTED,
  ES_NEW_CLIENT_RESULT_ERR_NOT_PRIVILEGED,
  ES_NEW_CLIENT_RESULT_ERR_TOO_MANY_CLIENTS,
};
typedef enum { ES_BTM_ITEM_TYPE_USER_ITEM, ES_BTM_ITEM_TYPE_APP, ES_BTM_ITEM_TYPE_LOGIN_ITEM, ES_BTM_ITEM_TYPE_AGENT, ES_BTM_ITEM_TYPE_DAEMON } es_btm_item_type_t;

typedef struct {
  size_t length;
  const char* data;
} es_string_token_t;

typedef struct {
  es_string_token_t path;
  bool path_truncated;
  struct stat stat;
} es_file_t;

typedef struct {
  audit_token_t audit_token;
  pid_t ppid, original_ppid, group_id, session_id;
  uint32_t codesigning_flags;
  bool is_platform_binary, is_es_client;
  uint8_t cdhash[20];
  es_string_token_t signing_id, team_id;
  es_file_t* executable;
  es_file_t* tty;
  struct timeval start_time;
  audit_token_t responsible_audit_token, parent_audit_token;
#if __MAC_OS_X_VERSION_MAX_ALLOWED >= 260000
  uint32_t cs_validation_category;
#endif
} es_process_t;

typedef struct {
  es_process_t* target;
  es_file_t* script;
  es_file_t* cwd;
  // Stands for what es_exec_arg reads.
  const es_string_token_t* arguments;
  uint32_t argument_count;
} es_event_exec_t;
typedef struct {
  es_process_t* child;
} es_event_fork_t;
typedef struct {
  int stat;
} es_event_exit_t;
typedef struct {
  es_file_t* dir;
  es_string_token_t filename;
} es_new_path_t;
typedef struct {
  es_destination_type_t destination_type;
  union {
    es_file_t* existing_file;
    es_new_path_t new_path;
  } destination;
} es_event_create_t;
typedef struct {
  bool modified;
  es_file_t* target;
  bool was_mapped_writable;
} es_event_close_t;
typedef struct {
  es_file_t* source;
  es_destination_type_t destination_type;
  union {
    es_file_t* existing_file;
    es_new_path_t new_path;
  } destination;
} es_event_rename_t;
typedef struct {
  es_file_t* target;
  es_file_t* parent_dir;
} es_event_unlink_t;
typedef struct {
  es_file_t* source;
  es_file_t* target_dir;
  es_string_token_t target_filename;
} es_event_link_t;
typedef struct {
  es_file_t* source;
  es_file_t* target_dir;
  es_string_token_t target_name;
} es_event_clone_t;
typedef struct {
  es_file_t* source;
  es_file_t* target_file;
  es_file_t* target_dir;
  es_string_token_t target_name;
} es_event_copyfile_t;
typedef struct {
  es_file_t* target;
} es_event_truncate_t;
typedef struct {
  es_file_t* file1;
  es_file_t* file2;
} es_event_exchangedata_t;
typedef struct {
  mode_t mode;
  es_file_t* target;
} es_event_setmode_t;
typedef struct {
  uid_t uid;
  gid_t gid;
  es_file_t* target;
} es_event_setowner_t;
typedef struct {
  struct statfs* statfs;
} es_event_mount_t;
typedef struct {
  int32_t fflag;
  es_file_t* file;
} es_event_open_t;
typedef struct {
  es_file_t* target;
  es_string_token_t extattr;
} es_event_setextattr_t, es_event_deleteextattr_t;
typedef struct {
  es_btm_item_type_t item_type;
  bool legacy, managed;
  uid_t uid;
  es_string_token_t item_url, app_url;
} es_btm_launch_item_t;
typedef struct {
  es_process_t* instigator;
  es_process_t* app;
  es_btm_launch_item_t* item;
  es_string_token_t executable_path;
} es_event_btm_launch_item_add_t;
typedef struct {
  es_process_t* instigator;
  es_process_t* app;
  es_btm_launch_item_t* item;
} es_event_btm_launch_item_remove_t;
#if __MAC_OS_X_VERSION_MAX_ALLOWED >= 270000
typedef struct {
  es_process_t* instigator;
  audit_token_t instigator_token;
  es_string_token_t service_name;
} es_event_bootstrap_check_in_t;
#endif

// Events of the kernel lie in the message, those of user space are pointed to.
typedef union {
  es_event_exec_t exec;
  es_event_fork_t fork;
  es_event_exit_t exit;
  es_event_create_t create;
  es_event_close_t close;
  es_event_rename_t rename;
  es_event_unlink_t unlink;
  es_event_link_t link;
  es_event_clone_t clone;
  es_event_copyfile_t copyfile;
  es_event_truncate_t truncate;
  es_event_exchangedata_t exchangedata;
  es_event_setmode_t setmode;
  es_event_setowner_t setowner;
  es_event_mount_t mount;
  es_event_open_t open;
  es_event_setextattr_t setextattr;
  es_event_deleteextattr_t deleteextattr;
  es_event_btm_launch_item_add_t* btm_launch_item_add;
  es_event_btm_launch_item_remove_t* btm_launch_item_remove;
  const void* of_user_space;
} es_events_t;

typedef struct {
  es_result_type_t result_type;
  union {
    es_auth_result_t auth;
    uint32_t flags;
  } result;
} es_result_t;

typedef struct {
  uint32_t version;
  struct timespec time;
  es_process_t* process;
  uint64_t seq_num;
  es_action_type_t action_type;
  union {
    es_result_t notify;
  } action;
  es_event_type_t event_type;
  es_events_t event;
  uint64_t global_seq_num;
} es_message_t;

typedef void (^es_handler_block_t)(es_client_t*, const es_message_t*);

extern "C" {
// The handler is copied. The client may be deleted only by the thread that made it.
es_new_client_result_t es_new_client(es_client_t** client, es_handler_block_t handler);
es_return_t es_delete_client(es_client_t* client);
es_return_t es_subscribe(es_client_t* client, const es_event_type_t* events, uint32_t count);
es_return_t es_unsubscribe_all(es_client_t* client);
es_return_t es_mute_process(es_client_t* client, const audit_token_t* token);
es_return_t es_mute_path(es_client_t* client, const char* path, es_mute_path_type_t type);
es_return_t es_unmute_path(es_client_t* client, const char* path, es_mute_path_type_t type);
es_return_t es_unmute_all_target_paths(es_client_t* client);
es_return_t es_invert_muting(es_client_t* client, es_mute_inversion_type_t type);
es_respond_result_t es_respond_auth_result(es_client_t* client, const es_message_t* message, es_auth_result_t result, bool cache);
uint32_t es_exec_arg_count(const es_event_exec_t* event);
es_string_token_t es_exec_arg(const es_event_exec_t* event, uint32_t index);
}
