#include "files/file_calls.h"

#include <linux/fs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace launchwarden {

namespace {

constexpr size_t kMostNames = 256 * 1024;

int64_t Nanoseconds(const struct timespec& time) {
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

int Code(int result) { return result < 0 ? errno : 0; }

}  // namespace

int RenameExclusive(int from_folder, const char* from, int to_folder, const char* to) {
  return Code(static_cast<int>(syscall(SYS_renameat2, from_folder, from, to_folder, to, RENAME_NOREPLACE)));
}

int ReadAttributes(int file, size_t most_bytes, std::vector<ExtendedAttribute>& found) {
  // Nearly every file has none.
  const ssize_t wanted = flistxattr(file, nullptr, 0);
  std::string names(wanted <= 0 ? 0 : kMostNames, '\0');
  const ssize_t length = wanted <= 0 ? wanted : flistxattr(file, names.data(), names.size());
  if (length < 0) return errno == ENOTSUP ? 0 : errno;
  for (size_t at = 0; at < static_cast<size_t>(length);) {
    ExtendedAttribute one;
    one.name = names.c_str() + at;
    at += one.name.size() + 1;
    const ssize_t size = fgetxattr(file, one.name.c_str(), nullptr, 0);
    if (size < 0) continue;
    one.size = static_cast<size_t>(size);
    std::string value(one.size, '\0');
    const ssize_t got = fgetxattr(file, one.name.c_str(), value.data(), value.size());
    if (got < 0) return errno;
    value.resize(std::min(static_cast<size_t>(got), most_bytes));
    one.value = std::move(value);
    found.push_back(std::move(one));
  }
  return 0;
}

int WriteAttribute(int file, const ExtendedAttribute& attribute) {
  return Code(fsetxattr(file, attribute.name.c_str(), attribute.value.data(), attribute.value.size(), 0));
}

int CopyMetadata(int from, int to) {
  struct stat facts;
  if (fstat(from, &facts) < 0) return errno;
  std::vector<ExtendedAttribute> attributes;
  if (const int code = ReadAttributes(from, SIZE_MAX, attributes); code != 0) return code;
  if (fchown(to, facts.st_uid, facts.st_gid) < 0) return errno;
  for (const ExtendedAttribute& one : attributes)
    if (const int code = WriteAttribute(to, one); code != 0) return code;
  // After the owner, whose change takes set-user-id bits away; times last.
  if (fchmod(to, facts.st_mode & 07777) < 0) return errno;
  const struct timespec times[2] = {facts.st_atim, facts.st_mtim};
  return Code(futimens(to, times));
}

int ReadAcl(int, std::string&) { return 0; }

uint32_t FlagsOf(const struct stat&) { return 0; }

int SetFlags(int, uint32_t) { return 0; }

FileTimes TimesOf(const struct stat& facts) {
  return {Nanoseconds(facts.st_atim), Nanoseconds(facts.st_mtim), Nanoseconds(facts.st_ctim), 0};
}

}  // namespace launchwarden
