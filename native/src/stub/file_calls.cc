#include "files/file_calls.h"

#include <cerrno>

namespace launchwarden {

int RenameExclusive(int, const char*, int, const char*) { return ENOSYS; }
int ReadAttributes(int, size_t, std::vector<ExtendedAttribute>&) { return ENOSYS; }
int WriteAttribute(int, const ExtendedAttribute&) { return ENOSYS; }
int CopyMetadata(int, int) { return ENOSYS; }
int ReadAcl(int, std::string&) { return 0; }
uint32_t FlagsOf(const struct stat&) { return 0; }
int SetFlags(int, uint32_t) { return 0; }
FileTimes TimesOf(const struct stat&) { return {}; }

}  // namespace launchwarden
