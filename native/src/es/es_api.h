#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace launchwarden {

// libEndpointSecurity in our own types: the client above knows no es_* name, so that it runs, and is tested, anywhere.

// The order is part of the contract with src/sensors/endpoint-security/message.ts.
enum class EsKind : uint8_t {
  kExec,
  kFork,
  kExit,
  kCreate,
  kClose,
  kRename,
  kUnlink,
  kLink,
  kClone,
  kCopyfile,
  kTruncate,
  kExchangedata,
  kSetmode,
  kSetowner,
  kMount,
  kOpen,
  kSetextattr,
  kDeleteextattr,
  kBtmAdd,
  kBtmRemove,
  kBootstrapCheckIn,
};
constexpr size_t kEsKinds = 21;

// Of systems newer than the oldest that is supported: a system that refuses it goes without.
constexpr bool IsOptional(EsKind kind) { return kind == EsKind::kBootstrapCheckIn; }

// What es_new_client answers (ESTypes.h), and what comes before and after it.
enum class EsResult : int {
  kSuccess = 0,
  kInvalidArgument = 1,
  kInternal = 2,
  kNotEntitled = 3,
  kNotPermitted = 4,
  kNotPrivileged = 5,
  kTooManyClients = 6,
  kUnknown = 7,
  kUnsupported = 8,      // no EndpointSecurity on this system
  kMutingFailed = 9,
  kSubscribeFailed = 10,
};

// From which message version a field may be read; before, its bytes are reserved (ESMessage.h).
constexpr uint32_t kEsSinceScript = 2, kEsSinceSequence = 2, kEsSinceStart = 3, kEsSinceDirectory = 3,
                   kEsSinceTokens = 4, kEsSinceGlobalSequence = 4, kEsSinceMappedWritable = 6, kEsSinceCategory = 10;
// The newest version whose fields are known (macOS 27). Later ones only add to it.
constexpr uint32_t kEsNewestVersion = 11;

// All views are valid during the handler's call alone.
struct EsToken {
  int pid = 0;
  int pidversion = 0;
};

struct EsFile {
  std::string_view path;
  bool truncated = false;
  uint64_t inode = 0;
  int64_t size = 0;
  uint32_t mode = 0, uid = 0, gid = 0, links = 0;
  int64_t changed_us = 0;  // ctime
};

struct EsProcess {
  EsToken token;
  uint32_t ruid = 0, euid = 0, rgid = 0, egid = 0;
  int ppid = 0, group = 0, session = 0;
  uint32_t signing_flags = 0;
  bool platform_binary = false;
  int64_t start_us = 0;
  EsToken parent, responsible;
  int category = -1;  // cs_validation_category, -1 when unknown
  std::string_view signing_id, team_id;
  std::array<uint8_t, 20> cdhash{};
  std::string_view executable;
};

struct EsMessage {
  EsKind kind = EsKind::kExec;
  // Of a type that is not known here: `type` (es_event_type_t), version, time and numbers are all that is read.
  bool unknown = false;
  uint32_t type = 0;
  uint32_t version = 0;
  int64_t time_ns = 0;  // since 1970
  uint64_t sequence = 0, global_sequence = 0;

  // Who did it; of exec the new image, of fork the child.
  EsProcess process;
  bool has_actor = false;  // of exec the image before it, of fork the process that forked
  EsProcess actor;
  bool has_instigator = false;  // who asked for it: BTM; who serves: bootstrap check-in (its token alone when it is gone)
  EsProcess instigator;

  bool has_file = false;
  EsFile file;
  // The target's path where no file object stands for it: a folder and a name.
  std::string_view directory, name;
  bool has_other = false;  // the source of a rename, link, clone or copy; the second file of an exchange
  EsFile other;
  bool created = true;  // false for a CREATE that another client denied
  bool denied = false;  // another client kept it from happening

  // exec
  size_t argument_count = 0;
  std::string_view (*argument)(const void* source, size_t index) = nullptr;
  const void* argument_source = nullptr;
  std::string_view working_directory, script;

  int exit_status = 0;
  bool modified = false, mapped_writable = false;
  uint32_t mode = 0, uid = 0, gid = 0;  // setmode, setowner
  uint32_t open_flags = 0;
  std::string_view attribute;   // of setextattr, deleteextattr
  std::string_view mount_from;  // of mount
  // BTM
  int item_type = 0;
  bool item_legacy = false, item_managed = false;
  uint32_t item_uid = 0;
  std::string_view item_url, app_url, item_executable;
  std::string_view service;  // of bootstrap check-in: the name that the Mach service is looked up by
};

using EsHandler = std::function<void(const EsMessage&)>;

enum class EsTarget : uint8_t { kPrefix, kLiteral };

// One client of the system. Made, used and closed on one thread; its handler is called serially on another.
class EsConnection {
 public:
  virtual ~EsConnection() = default;
  virtual bool MuteSelf() = 0;
  virtual bool ClearTargets() = 0;
  virtual bool InvertTargets() = 0;
  virtual bool MuteTarget(EsTarget type, const std::string& path) = 0;
  virtual bool UnmuteTarget(EsTarget type, const std::string& path) = 0;
  virtual bool Subscribe(const std::vector<EsKind>& kinds) = 0;
  // Afterwards the handler is called no more. False when the system refused, and the client leaks.
  virtual bool Close() = 0;
};

class EsApi {
 public:
  virtual ~EsApi() = default;
  // Null with the reason in `result`.
  virtual std::unique_ptr<EsConnection> Connect(EsHandler handler, EsResult& result) = 0;
};

}  // namespace launchwarden
