#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <vector>

namespace launchwarden {

// An extended attribute; `value` is cut to the caller's limit, `size` is the whole.
struct ExtendedAttribute {
  std::string name;
  std::string value;
  size_t size = 0;
};

struct FileTimes {
  int64_t accessed_ns = 0, modified_ns = 0, changed_ns = 0, born_ns = 0;
};

// What of a file system differs between systems. Each gives 0, or the errno.

// Never puts anything in the place of something: EEXIST then.
int RenameExclusive(int from_folder, const char* from, int to_folder, const char* to);

int ReadAttributes(int file, size_t most_bytes, std::vector<ExtendedAttribute>& found);
int WriteAttribute(int file, const ExtendedAttribute& attribute);

// Owner, mode, times, extended attributes, and what else the system keeps (flags and access control list on macOS).
int CopyMetadata(int from, int to);

// The access control list as text; empty where there is none, or where it is an extended attribute.
int ReadAcl(int file, std::string& text);

// Flags such as "immutable", which keep even root from renaming; 0 where the system has none. `SetFlags` sets them.
uint32_t FlagsOf(const struct stat& facts);
int SetFlags(int file, uint32_t flags);

FileTimes TimesOf(const struct stat& facts);

}  // namespace launchwarden
