#include "files/file_calls.h"

#include <copyfile.h>
#include <sys/acl.h>
#include <sys/stdio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

// Unproven: none of this was run on a Mac by its authors.
namespace launchwarden {

namespace {

int64_t Nanoseconds(const struct timespec& time) {
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

int Code(int result) { return result < 0 ? errno : 0; }

}  // namespace

int RenameExclusive(int from_folder, const char* from, int to_folder, const char* to) {
  return Code(renameatx_np(from_folder, from, to_folder, to, RENAME_EXCL));
}

int ReadAttributes(int file, size_t most_bytes, std::vector<ExtendedAttribute>& found) {
  const ssize_t length = flistxattr(file, nullptr, 0, 0);
  if (length < 0) return errno == ENOTSUP ? 0 : errno;
  std::string names(static_cast<size_t>(length), '\0');
  const ssize_t listed = flistxattr(file, names.data(), names.size(), 0);
  if (listed < 0) return errno;
  for (size_t at = 0; at < static_cast<size_t>(listed);) {
    ExtendedAttribute one;
    one.name = names.c_str() + at;
    at += one.name.size() + 1;
    const ssize_t size = fgetxattr(file, one.name.c_str(), nullptr, 0, 0, 0);
    if (size < 0) continue;
    one.size = static_cast<size_t>(size);
    std::string value(std::min(one.size, most_bytes), '\0');
    // A resource fork may be as large as a file: its beginning is read.
    const ssize_t got = fgetxattr(file, one.name.c_str(), value.data(), value.size(), 0, 0);
    if (got < 0 && errno != ERANGE) return errno;
    value.resize(got < 0 ? 0 : static_cast<size_t>(got));
    one.value = std::move(value);
    found.push_back(std::move(one));
  }
  return 0;
}

int WriteAttribute(int file, const ExtendedAttribute& attribute) {
  return Code(fsetxattr(file, attribute.name.c_str(), attribute.value.data(), attribute.value.size(), 0, 0));
}

int CopyMetadata(int from, int to) { return Code(fcopyfile(from, to, nullptr, COPYFILE_METADATA)); }

int ReadAcl(int file, std::string& text) {
  acl_t list = acl_get_fd_np(file, ACL_TYPE_EXTENDED);
  // ENOENT: there is none.
  if (list == nullptr) return errno == ENOENT || errno == ENOTSUP ? 0 : errno;
  ssize_t length = 0;
  char* said = acl_to_text(list, &length);
  if (said != nullptr) text.assign(said, static_cast<size_t>(length));
  acl_free(said);
  acl_free(list);
  return 0;
}

uint32_t FlagsOf(const struct stat& facts) { return facts.st_flags; }

int SetFlags(int file, uint32_t flags) { return Code(fchflags(file, flags)); }

FileTimes TimesOf(const struct stat& facts) {
  return {Nanoseconds(facts.st_atimespec), Nanoseconds(facts.st_mtimespec), Nanoseconds(facts.st_ctimespec),
          Nanoseconds(facts.st_birthtimespec)};
}

}  // namespace launchwarden
