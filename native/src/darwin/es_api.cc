#include <EndpointSecurity/EndpointSecurity.h>
#include <bsm/libbsm.h>
#include <mach/mach.h>
#include <sys/mount.h>

#include <cstring>

#include "darwin/es_layout.h"
#include "es/make_api.h"

namespace launchwarden {

namespace {

// The only place that calls libEndpointSecurity. Compiled and linked against Apple's headers, and run over a scripted
// library, on another system; never run on a Mac by its authors.

std::string_view View(const es_string_token_t& token) {
  // An empty token may come without data.
  return token.length == 0 || token.data == nullptr ? std::string_view() : std::string_view(token.data, token.length);
}

EsToken Token(const audit_token_t& token) { return {audit_token_to_pid(token), audit_token_to_pidversion(token)}; }

EsFile File(const es_file_t* file) {
  EsFile result;
  if (file == nullptr) return result;
  result.path = View(file->path);
  result.truncated = file->path_truncated;
  result.inode = file->stat.st_ino;
  result.size = file->stat.st_size;
  result.mode = file->stat.st_mode;
  result.uid = file->stat.st_uid;
  result.gid = file->stat.st_gid;
  result.links = file->stat.st_nlink;
  result.changed_us = static_cast<int64_t>(file->stat.st_ctimespec.tv_sec) * 1'000'000 + file->stat.st_ctimespec.tv_nsec / 1'000;
  return result;
}

EsProcess Process(const es_process_t* process, uint32_t version) {
  EsProcess result;
  if (process == nullptr) return result;
  result.token = Token(process->audit_token);
  result.ruid = audit_token_to_ruid(process->audit_token);
  result.euid = audit_token_to_euid(process->audit_token);
  result.rgid = audit_token_to_rgid(process->audit_token);
  result.egid = audit_token_to_egid(process->audit_token);
  result.ppid = process->ppid;
  result.group = process->group_id;
  result.session = process->session_id;
  result.signing_flags = process->codesigning_flags;
  result.platform_binary = process->is_platform_binary;
  result.signing_id = View(process->signing_id);
  result.team_id = View(process->team_id);
  std::memcpy(result.cdhash.data(), process->cdhash, result.cdhash.size());
  if (process->executable != nullptr) result.executable = View(process->executable->path);
  if (version >= kEsSinceStart)
    result.start_us = static_cast<int64_t>(process->start_time.tv_sec) * 1'000'000 + process->start_time.tv_usec;
  if (version >= kEsSinceTokens) {
    result.parent = Token(process->parent_audit_token);
    result.responsible = Token(process->responsible_audit_token);
  }
#if __MAC_OS_X_VERSION_MAX_ALLOWED >= 260000
  if (version >= kEsSinceCategory) result.category = static_cast<int>(process->cs_validation_category);
#endif
  return result;
}

std::string_view Argument(const void* source, size_t index) {
  return View(es_exec_arg(static_cast<const es_event_exec_t*>(source), static_cast<uint32_t>(index)));
}

void SetFile(EsMessage& out, const es_file_t* file) {
  out.file = File(file);
  out.has_file = file != nullptr;
}

void SetOther(EsMessage& out, const es_file_t* file) {
  out.other = File(file);
  out.has_other = file != nullptr;
}

void SetJoined(EsMessage& out, const es_file_t* directory, const es_string_token_t& name) {
  if (directory != nullptr) out.directory = View(directory->path);
  out.name = View(name);
}

void SetItem(EsMessage& out, const es_process_t* instigator, const es_btm_launch_item_t* item) {
  if (instigator != nullptr) {
    out.has_instigator = true;
    out.instigator = Process(instigator, out.version);
  }
  if (item == nullptr) return;
  out.item_type = static_cast<int>(item->item_type);
  out.item_legacy = item->legacy;
  out.item_managed = item->managed;
  out.item_uid = item->uid;
  out.item_url = View(item->item_url);
  out.app_url = View(item->app_url);
}

// What the clients that may refuse an operation came to, told to those that may not (es_result_t). An open is refused
// when none of its flags was allowed.
bool Denied(const es_message_t* message) {
  if (message->action_type != ES_ACTION_TYPE_NOTIFY) return false;
  const es_result_t& result = message->action.notify;
  return result.result_type == ES_RESULT_TYPE_AUTH ? result.result.auth == ES_AUTH_RESULT_DENY : result.result.flags == 0;
}

void ReadCheckIn(const es_message_t* message, EsMessage& out) {
  out.kind = EsKind::kBootstrapCheckIn;
  const BootstrapCheckIn* event = CheckInOf(message->event);
  if (event == nullptr) return;
  out.service = View(event->service_name);
  // The process itself is there as long as it runs; the token always.
  out.has_instigator = true;
  if (event->instigator != nullptr) {
    out.instigator = Process(event->instigator, out.version);
    return;
  }
  out.instigator.token = Token(event->instigator_token);
  out.instigator.ruid = audit_token_to_ruid(event->instigator_token);
  out.instigator.euid = audit_token_to_euid(event->instigator_token);
  out.instigator.rgid = audit_token_to_rgid(event->instigator_token);
  out.instigator.egid = audit_token_to_egid(event->instigator_token);
}

void Read(const es_message_t* message, EsMessage& out) {
  out.version = message->version;
  out.type = static_cast<uint32_t>(message->event_type);
  out.time_ns = static_cast<int64_t>(message->time.tv_sec) * 1'000'000'000 + message->time.tv_nsec;
  if (out.version >= kEsSinceSequence) out.sequence = message->seq_num;
  if (out.version >= kEsSinceGlobalSequence) out.global_sequence = message->global_seq_num;
  out.denied = Denied(message);
  const es_process_t* subject = message->process;
  const es_events_t& event = message->event;
  // No SDK before 27 has the name, so that it is no case of the switch.
  if (out.type == kBootstrapCheckInType) {
    ReadCheckIn(message, out);
    out.process = Process(subject, out.version);
    return;
  }
  switch (message->event_type) {
    case ES_EVENT_TYPE_NOTIFY_EXEC:
      out.kind = EsKind::kExec;
      subject = event.exec.target;
      out.argument_count = es_exec_arg_count(&event.exec);
      out.argument = &Argument;
      out.argument_source = &event.exec;
      if (out.version >= kEsSinceScript && event.exec.script != nullptr) out.script = View(event.exec.script->path);
      if (out.version >= kEsSinceDirectory && event.exec.cwd != nullptr)
        out.working_directory = View(event.exec.cwd->path);
      break;
    case ES_EVENT_TYPE_NOTIFY_FORK:
      out.kind = EsKind::kFork;
      subject = event.fork.child;
      break;
    case ES_EVENT_TYPE_NOTIFY_EXIT:
      out.kind = EsKind::kExit;
      out.exit_status = event.exit.stat;
      break;
    case ES_EVENT_TYPE_NOTIFY_CREATE:
      out.kind = EsKind::kCreate;
      out.created = event.create.destination_type == ES_DESTINATION_TYPE_EXISTING_FILE;
      if (out.created) SetFile(out, event.create.destination.existing_file);
      break;
    case ES_EVENT_TYPE_NOTIFY_CLOSE:
      out.kind = EsKind::kClose;
      out.modified = event.close.modified;
      if (out.version >= kEsSinceMappedWritable) out.mapped_writable = event.close.was_mapped_writable;
      SetFile(out, event.close.target);
      break;
    case ES_EVENT_TYPE_NOTIFY_RENAME:
      out.kind = EsKind::kRename;
      SetOther(out, event.rename.source);
      if (event.rename.destination_type == ES_DESTINATION_TYPE_EXISTING_FILE) {
        // Its stat is that of the file that was replaced: the path alone is the moved file's.
        SetFile(out, event.rename.source);
        if (event.rename.destination.existing_file != nullptr)
          out.file.path = View(event.rename.destination.existing_file->path);
      } else {
        SetJoined(out, event.rename.destination.new_path.dir, event.rename.destination.new_path.filename);
      }
      break;
    case ES_EVENT_TYPE_NOTIFY_UNLINK:
      out.kind = EsKind::kUnlink;
      SetFile(out, event.unlink.target);
      break;
    case ES_EVENT_TYPE_NOTIFY_LINK:
      out.kind = EsKind::kLink;
      SetOther(out, event.link.source);
      SetJoined(out, event.link.target_dir, event.link.target_filename);
      break;
    case ES_EVENT_TYPE_NOTIFY_CLONE:
      out.kind = EsKind::kClone;
      SetOther(out, event.clone.source);
      SetJoined(out, event.clone.target_dir, event.clone.target_name);
      break;
    case ES_EVENT_TYPE_NOTIFY_COPYFILE:
      out.kind = EsKind::kCopyfile;
      SetOther(out, event.copyfile.source);
      if (event.copyfile.target_file != nullptr) SetFile(out, event.copyfile.target_file);
      else SetJoined(out, event.copyfile.target_dir, event.copyfile.target_name);
      break;
    case ES_EVENT_TYPE_NOTIFY_TRUNCATE:
      out.kind = EsKind::kTruncate;
      SetFile(out, event.truncate.target);
      break;
    case ES_EVENT_TYPE_NOTIFY_EXCHANGEDATA:
      out.kind = EsKind::kExchangedata;
      SetFile(out, event.exchangedata.file1);
      SetOther(out, event.exchangedata.file2);
      break;
    case ES_EVENT_TYPE_NOTIFY_SETMODE:
      out.kind = EsKind::kSetmode;
      out.mode = event.setmode.mode;
      SetFile(out, event.setmode.target);
      break;
    case ES_EVENT_TYPE_NOTIFY_SETOWNER:
      out.kind = EsKind::kSetowner;
      out.uid = event.setowner.uid;
      out.gid = event.setowner.gid;
      SetFile(out, event.setowner.target);
      break;
    case ES_EVENT_TYPE_NOTIFY_MOUNT:
      out.kind = EsKind::kMount;
      if (event.mount.statfs != nullptr) {
        const struct statfs& mount = *event.mount.statfs;
        out.directory = {mount.f_mntonname, strnlen(mount.f_mntonname, sizeof mount.f_mntonname)};
        out.mount_from = {mount.f_mntfromname, strnlen(mount.f_mntfromname, sizeof mount.f_mntfromname)};
      }
      break;
    case ES_EVENT_TYPE_NOTIFY_OPEN:
      out.kind = EsKind::kOpen;
      out.open_flags = static_cast<uint32_t>(event.open.fflag);
      SetFile(out, event.open.file);
      break;
    case ES_EVENT_TYPE_NOTIFY_SETEXTATTR:
      out.kind = EsKind::kSetextattr;
      out.attribute = View(event.setextattr.extattr);
      SetFile(out, event.setextattr.target);
      break;
    case ES_EVENT_TYPE_NOTIFY_DELETEEXTATTR:
      out.kind = EsKind::kDeleteextattr;
      out.attribute = View(event.deleteextattr.extattr);
      SetFile(out, event.deleteextattr.target);
      break;
    // Events of user space are pointers.
    case ES_EVENT_TYPE_NOTIFY_BTM_LAUNCH_ITEM_ADD:
      out.kind = EsKind::kBtmAdd;
      SetItem(out, event.btm_launch_item_add->instigator, event.btm_launch_item_add->item);
      out.item_executable = View(event.btm_launch_item_add->executable_path);
      break;
    case ES_EVENT_TYPE_NOTIFY_BTM_LAUNCH_ITEM_REMOVE:
      out.kind = EsKind::kBtmRemove;
      SetItem(out, event.btm_launch_item_remove->instigator, event.btm_launch_item_remove->item);
      break;
    default:
      out.unknown = true;
      return;
  }
  out.process = Process(subject, out.version);
  if (subject != message->process) {
    out.has_actor = message->process != nullptr;
    out.actor = Process(message->process, out.version);
  }
}

es_event_type_t Type(EsKind kind) {
  switch (kind) {
    case EsKind::kExec: return ES_EVENT_TYPE_NOTIFY_EXEC;
    case EsKind::kFork: return ES_EVENT_TYPE_NOTIFY_FORK;
    case EsKind::kExit: return ES_EVENT_TYPE_NOTIFY_EXIT;
    case EsKind::kCreate: return ES_EVENT_TYPE_NOTIFY_CREATE;
    case EsKind::kClose: return ES_EVENT_TYPE_NOTIFY_CLOSE;
    case EsKind::kRename: return ES_EVENT_TYPE_NOTIFY_RENAME;
    case EsKind::kUnlink: return ES_EVENT_TYPE_NOTIFY_UNLINK;
    case EsKind::kLink: return ES_EVENT_TYPE_NOTIFY_LINK;
    case EsKind::kClone: return ES_EVENT_TYPE_NOTIFY_CLONE;
    case EsKind::kCopyfile: return ES_EVENT_TYPE_NOTIFY_COPYFILE;
    case EsKind::kTruncate: return ES_EVENT_TYPE_NOTIFY_TRUNCATE;
    case EsKind::kExchangedata: return ES_EVENT_TYPE_NOTIFY_EXCHANGEDATA;
    case EsKind::kSetmode: return ES_EVENT_TYPE_NOTIFY_SETMODE;
    case EsKind::kSetowner: return ES_EVENT_TYPE_NOTIFY_SETOWNER;
    case EsKind::kMount: return ES_EVENT_TYPE_NOTIFY_MOUNT;
    case EsKind::kOpen: return ES_EVENT_TYPE_NOTIFY_OPEN;
    case EsKind::kSetextattr: return ES_EVENT_TYPE_NOTIFY_SETEXTATTR;
    case EsKind::kDeleteextattr: return ES_EVENT_TYPE_NOTIFY_DELETEEXTATTR;
    case EsKind::kBtmAdd: return ES_EVENT_TYPE_NOTIFY_BTM_LAUNCH_ITEM_ADD;
    case EsKind::kBtmRemove: return ES_EVENT_TYPE_NOTIFY_BTM_LAUNCH_ITEM_REMOVE;
    case EsKind::kBootstrapCheckIn: return static_cast<es_event_type_t>(kBootstrapCheckInType);
  }
  return ES_EVENT_TYPE_LAST;
}

EsResult Result(es_new_client_result_t result) {
  const int value = static_cast<int>(result);
  return value >= 0 && value <= static_cast<int>(EsResult::kTooManyClients) ? static_cast<EsResult>(value)
                                                                            : EsResult::kUnknown;
}

class Connection final : public EsConnection {
 public:
  explicit Connection(es_client_t* client) : client_(client) {}
  ~Connection() override { Close(); }

  bool MuteSelf() override {
    audit_token_t self;
    mach_msg_type_number_t count = TASK_AUDIT_TOKEN_COUNT;
    if (task_info(mach_task_self(), TASK_AUDIT_TOKEN, reinterpret_cast<task_info_t>(&self), &count) != KERN_SUCCESS)
      return false;
    return es_mute_process(client_, &self) == ES_RETURN_SUCCESS;
  }

  bool ClearTargets() override { return es_unmute_all_target_paths(client_) == ES_RETURN_SUCCESS; }

  bool InvertTargets() override {
    return es_invert_muting(client_, ES_MUTE_INVERSION_TYPE_TARGET_PATH) == ES_RETURN_SUCCESS;
  }

  bool MuteTarget(EsTarget type, const std::string& path) override {
    return es_mute_path(client_, path.c_str(), PathType(type)) == ES_RETURN_SUCCESS;
  }

  bool UnmuteTarget(EsTarget type, const std::string& path) override {
    return es_unmute_path(client_, path.c_str(), PathType(type)) == ES_RETURN_SUCCESS;
  }

  bool Subscribe(const std::vector<EsKind>& kinds) override {
    std::vector<es_event_type_t> types;
    for (const EsKind kind : kinds) types.push_back(Type(kind));
    return es_subscribe(client_, types.data(), static_cast<uint32_t>(types.size())) == ES_RETURN_SUCCESS;
  }

  // On the thread that made the client, as es_delete_client demands.
  bool Close() override {
    if (client_ == nullptr) return true;
    es_client_t* client = client_;
    client_ = nullptr;
    es_unsubscribe_all(client);
    return es_delete_client(client) == ES_RETURN_SUCCESS;
  }

 private:
  static es_mute_path_type_t PathType(EsTarget type) {
    return type == EsTarget::kPrefix ? ES_MUTE_PATH_TYPE_TARGET_PREFIX : ES_MUTE_PATH_TYPE_TARGET_LITERAL;
  }

  es_client_t* client_;
};

class System final : public EsApi {
 public:
  std::unique_ptr<EsConnection> Connect(EsHandler handler, EsResult& result) override {
    es_client_t* client = nullptr;
    // The block keeps its own copy of the handler for as long as the system may call it.
    const es_new_client_result_t answer = es_new_client(&client, ^(es_client_t* from, const es_message_t* message) {
      // Nothing of the kind is asked for. Should a number mean something else than here, nobody shall wait for it.
      if (message->action_type == ES_ACTION_TYPE_AUTH)
        es_respond_auth_result(from, message, ES_AUTH_RESULT_ALLOW, false);
      EsMessage read;
      Read(message, read);
      handler(read);
    });
    result = Result(answer);
    if (result != EsResult::kSuccess || client == nullptr) return nullptr;
    return std::make_unique<Connection>(client);
  }
};

}  // namespace

std::unique_ptr<EsApi> MakeEsApi() { return std::make_unique<System>(); }

}  // namespace launchwarden
