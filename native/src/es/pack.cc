#include "es/pack.h"

#include <algorithm>
#include <limits>
#include <string>

#include "core/arguments.h"
#include "es/client.h"

namespace launchwarden {

namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

enum Part : uint32_t { kInstigator = 1, kFile = 2, kOther = 4, kFileWithoutStat = 8, kActor = 16, kPathCut = 32, kModified = 64, kMapped = 128, kLegacy = 256, kManaged = 512 };

bool IsBtm(EsKind kind) { return kind == EsKind::kBtmAdd || kind == EsKind::kBtmRemove; }

void PackToken(const EsToken& token, bool known, Record& record) {
  record.Number(known ? token.pid : kUnknown);
  record.Number(known ? token.pidversion : kUnknown);
}

void PackProcess(const EsProcess& process, uint32_t version, Record& record) {
  static constexpr char kDigits[] = "0123456789abcdef";
  record.Number(process.token.pid);
  record.Number(process.token.pidversion);
  record.Number(process.ruid);
  record.Number(process.euid);
  record.Number(process.rgid);
  record.Number(process.egid);
  record.Number(process.ppid);
  record.Number(process.group);
  record.Number(process.session);
  record.Number(process.signing_flags);
  record.Number(process.platform_binary ? 1 : 0);
  record.Number(version >= kEsSinceStart && process.start_us != 0 ? static_cast<double>(process.start_us) : kUnknown);
  PackToken(process.parent, version >= kEsSinceTokens, record);
  PackToken(process.responsible, version >= kEsSinceTokens, record);
  record.Number(version >= kEsSinceCategory && process.category >= 0 ? process.category : kUnknown);
  record.String(process.executable);
  record.String(process.signing_id);
  record.String(process.team_id);
  char cdhash[40];
  for (size_t index = 0; index < process.cdhash.size(); index++) {
    cdhash[2 * index] = kDigits[process.cdhash[index] >> 4];
    cdhash[2 * index + 1] = kDigits[process.cdhash[index] & 15];
  }
  record.String({cdhash, sizeof cdhash});
}

void PackFile(const EsFile& file, std::string_view path, Record& record) {
  record.Number(static_cast<double>(file.size));
  record.Number(file.mode);
  record.Number(file.uid);
  record.Number(file.gid);
  record.Number(file.links);
  record.Number(static_cast<double>(file.changed_us));
  record.String(path);
  record.String(std::to_string(file.inode));
}

uint32_t Parts(const EsMessage& message) {
  const bool joined = !message.has_file && !message.directory.empty();
  return (message.has_instigator ? kInstigator : 0u) | (message.has_actor ? kActor : 0u) | (message.has_file || joined ? kFile : 0u) |
         (message.has_other ? kOther : 0u) | (joined ? kFileWithoutStat : 0u) |
         (message.file.truncated ? kPathCut : 0u) | (message.modified ? kModified : 0u) |
         (message.mapped_writable && message.version >= kEsSinceMappedWritable ? kMapped : 0u) |
         (message.item_legacy ? kLegacy : 0u) | (message.item_managed ? kManaged : 0u);
}

double Detail(const EsMessage& message) {
  switch (message.kind) {
    case EsKind::kExit:
      return message.exit_status;
    case EsKind::kSetmode:
      return message.mode;
    case EsKind::kSetowner:
      return message.uid;
    case EsKind::kOpen:
      return message.open_flags;
    case EsKind::kBtmAdd:
    case EsKind::kBtmRemove:
      return message.item_type;
    default:
      return kUnknown;
  }
}

double Detail2(const EsMessage& message) {
  if (message.kind == EsKind::kSetowner) return message.gid;
  return IsBtm(message.kind) ? message.item_uid : kUnknown;
}

}  // namespace

void PackMessage(const EsMessage& message, Record& record) {
  record.Clear(static_cast<uint16_t>(EsClient::kRecordBase + static_cast<uint16_t>(message.kind)));
  const uint32_t parts = Parts(message);
  Arguments arguments;
  if (message.kind == EsKind::kExec && message.argument != nullptr)
    arguments.FromList(message.argument_count,
                       [&](size_t index) { return message.argument(message.argument_source, index); });
  record.Number(static_cast<double>(message.time_ns / 1000));
  record.Number(static_cast<double>(message.time_ns % 1000));
  record.Number(message.version);
  record.Number(parts);
  record.Number(Detail(message));
  record.Number(Detail2(message));
  PackProcess(message.process, message.version, record);
  if (message.has_actor) PackProcess(message.actor, message.version, record);
  if (message.has_instigator) PackProcess(message.instigator, message.version, record);
  if ((parts & kFile) != 0) {
    if ((parts & kFileWithoutStat) != 0) {
      std::string path(message.directory);
      if (!message.name.empty() && path.back() != '/') path += '/';
      path += message.name;
      PackFile({}, path, record);
    } else {
      PackFile(message.file, message.file.path, record);
    }
  }
  if (message.has_other) PackFile(message.other, message.other.path, record);
  switch (message.kind) {
    case EsKind::kExec:
      record.String(message.version >= kEsSinceDirectory ? message.working_directory : std::string_view());
      record.String(message.version >= kEsSinceScript ? message.script : std::string_view());
      record.Number(static_cast<double>(message.argument_count));
      record.Number(static_cast<double>(arguments.front));
      record.Number(static_cast<double>(arguments.shortened));
      for (const std::string& argument : arguments.kept) record.String(argument);
      break;
    case EsKind::kSetextattr:
    case EsKind::kDeleteextattr:
      record.String(message.attribute);
      break;
    case EsKind::kMount:
      record.String(message.mount_from);
      break;
    case EsKind::kBtmAdd:
    case EsKind::kBtmRemove:
      record.String(message.item_url);
      record.String(message.app_url);
      record.String(message.item_executable);
      break;
    case EsKind::kBootstrapCheckIn:
      record.String(message.service);
      break;
    default:
      break;
  }
}

}  // namespace launchwarden
