#include "js_file_calls.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "files/file_calls.h"

namespace launchwarden {

namespace {

constexpr int64_t kBillion = 1'000'000'000;
constexpr size_t kMostLink = 4'096;

const char* NameOf(int code) {
  static const std::map<int, const char*> names = {
      {ENOENT, "ENOENT"}, {EEXIST, "EEXIST"},   {EXDEV, "EXDEV"},   {EPERM, "EPERM"},         {EACCES, "EACCES"},
      {ELOOP, "ELOOP"},   {ENOTDIR, "ENOTDIR"}, {EROFS, "EROFS"},   {ENOTEMPTY, "ENOTEMPTY"}, {EBUSY, "EBUSY"},
      {EISDIR, "EISDIR"}, {EINVAL, "EINVAL"},   {ENOSPC, "ENOSPC"}, {ENOTSUP, "ENOTSUP"},     {ENOSYS, "ENOSYS"},
      {EIO, "EIO"},       {EBADF, "EBADF"},     {EMFILE, "EMFILE"}, {ENAMETOOLONG, "ENAMETOOLONG"},
  };
  const auto found = names.find(code);
  return found == names.end() ? "EUNKNOWN" : found->second;
}

[[noreturn]] void Fail(Napi::Env env, const char* call, int code) {
  Napi::Error error = Napi::Error::New(env, std::string(call) + ": " + std::strerror(code));
  error.Set("code", Napi::String::New(env, NameOf(code)));
  throw error;
}

void Check(Napi::Env env, const char* call, int code) {
  if (code != 0) Fail(env, call, code);
}

int Number(const Napi::CallbackInfo& info, size_t at) {
  if (info.Length() <= at || !info[at].IsNumber()) throw Napi::TypeError::New(info.Env(), "a number is missing");
  return info[at].As<Napi::Number>().Int32Value();
}

std::string Text(const Napi::CallbackInfo& info, size_t at) {
  if (info.Length() <= at || !info[at].IsString()) throw Napi::TypeError::New(info.Env(), "a text is missing");
  return info[at].As<Napi::String>().Utf8Value();
}

// One component: what holds a slash or a NUL would lead elsewhere.
std::string Name(const Napi::CallbackInfo& info, size_t at) {
  std::string name = Text(info, at);
  if (name.empty() || name == ".." || name.find('/') != std::string::npos || name.find('\0') != std::string::npos)
    Fail(info.Env(), "a name in a folder", EINVAL);
  return name;
}

Napi::Value TextOf(Napi::Env env, int64_t number) { return Napi::String::New(env, std::to_string(number)); }

Napi::Object Facts(Napi::Env env, const struct stat& facts) {
  const FileTimes times = TimesOf(facts);
  Napi::Object result = Napi::Object::New(env);
  const auto type = facts.st_mode & S_IFMT;
  result.Set("type", type == S_IFREG   ? "file"
                     : type == S_IFDIR ? "dir"
                     : type == S_IFLNK ? "symlink"
                     : type == S_IFIFO ? "fifo"
                     : type == S_IFSOCK ? "socket"
                                        : "device");
  result.Set("dev", std::to_string(static_cast<uint64_t>(facts.st_dev)));
  result.Set("ino", std::to_string(static_cast<uint64_t>(facts.st_ino)));
  result.Set("mode", static_cast<double>(facts.st_mode & 07777));
  result.Set("uid", static_cast<double>(facts.st_uid));
  result.Set("gid", static_cast<double>(facts.st_gid));
  result.Set("nlink", static_cast<double>(facts.st_nlink));
  result.Set("size", static_cast<double>(facts.st_size));
  result.Set("accessed", TextOf(env, times.accessed_ns));
  result.Set("modified", TextOf(env, times.modified_ns));
  result.Set("changed", TextOf(env, times.changed_ns));
  if (const uint32_t flags = FlagsOf(facts); flags != 0) result.Set("flags", static_cast<double>(flags));
  if (times.born_ns != 0) result.Set("born", TextOf(env, times.born_ns));
  return result;
}

// Never follows a link. A FIFO is not waited for, a terminal not taken over.
constexpr int kFlags = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

int Opened(Napi::Env env, const char* call, int file) {
  if (file < 0) Fail(env, call, errno);
  return file;
}

Napi::Value OpenTop(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), Opened(info.Env(), "open", open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
}

Napi::Value OpenFolder(const Napi::CallbackInfo& info) {
  const std::string name = Name(info, 1);
  const int file = openat(Number(info, 0), name.c_str(), O_RDONLY | O_DIRECTORY | kFlags);
  return Napi::Number::New(info.Env(), Opened(info.Env(), "open", file));
}

Napi::Value OpenFile(const Napi::CallbackInfo& info) {
  const std::string name = Name(info, 1);
  const int file = openat(Number(info, 0), name.c_str(), O_RDONLY | kFlags);
  return Napi::Number::New(info.Env(), Opened(info.Env(), "open", file));
}

Napi::Value CreateFile(const Napi::CallbackInfo& info) {
  const std::string name = Name(info, 1);
  const int file = openat(Number(info, 0), name.c_str(), O_RDWR | O_CREAT | O_EXCL | kFlags, 0600);
  return Napi::Number::New(info.Env(), Opened(info.Env(), "create", file));
}

void MakeFolder(const Napi::CallbackInfo& info) {
  const std::string name = Name(info, 1);
  if (mkdirat(Number(info, 0), name.c_str(), 0700) < 0) Fail(info.Env(), "mkdir", errno);
}

// Undefined when there is nothing of that name.
Napi::Value StatAt(const Napi::CallbackInfo& info) {
  const std::string name = Name(info, 1);
  struct stat facts;
  if (fstatat(Number(info, 0), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) < 0) {
    if (errno == ENOENT) return info.Env().Undefined();
    Fail(info.Env(), "stat", errno);
  }
  return Facts(info.Env(), facts);
}

Napi::Value StatOf(const Napi::CallbackInfo& info) {
  struct stat facts;
  if (fstat(Number(info, 0), &facts) < 0) Fail(info.Env(), "stat", errno);
  return Facts(info.Env(), facts);
}

Napi::Value NamesIn(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  // A descriptor of its own: the caller's keeps its place.
  const int own = openat(Number(info, 0), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (own < 0) Fail(env, "open", errno);
  DIR* folder = fdopendir(own);
  if (folder == nullptr) {
    close(own);
    Fail(env, "opendir", errno);
  }
  const double most = info.Length() > 1 && info[1].IsNumber() ? info[1].As<Napi::Number>().DoubleValue() : 1e6;
  Napi::Array names = Napi::Array::New(env);
  uint32_t count = 0;
  while (const struct dirent* entry = readdir(folder)) {
    if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0) continue;
    if (count >= most) break;
    names.Set(count++, Napi::String::New(env, entry->d_name));
  }
  closedir(folder);
  return names;
}

void Rename(const Napi::CallbackInfo& info) {
  const std::string from = Name(info, 1), to = Name(info, 3);
  Check(info.Env(), "rename", RenameExclusive(Number(info, 0), from.c_str(), Number(info, 2), to.c_str()));
}

void Remove(const Napi::CallbackInfo& info) {
  const std::string name = Name(info, 1);
  const bool is_folder = info.Length() > 2 && info[2].ToBoolean().Value();
  if (unlinkat(Number(info, 0), name.c_str(), is_folder ? AT_REMOVEDIR : 0) < 0) Fail(info.Env(), "remove", errno);
}

Napi::Value ReadLink(const Napi::CallbackInfo& info) {
  const std::string name = Name(info, 1);
  char text[kMostLink];
  const ssize_t length = readlinkat(Number(info, 0), name.c_str(), text, sizeof text);
  if (length < 0) Fail(info.Env(), "readlink", errno);
  return Napi::String::New(info.Env(), text, static_cast<size_t>(length));
}

void MakeLink(const Napi::CallbackInfo& info) {
  const std::string text = Text(info, 2), name = Name(info, 1);
  if (symlinkat(text.c_str(), Number(info, 0), name.c_str()) < 0) Fail(info.Env(), "symlink", errno);
}

int64_t Integer(const Napi::Env& env, const Napi::Object& from, const char* name) {
  const Napi::Value value = from.Get(name);
  if (value.IsNumber()) return static_cast<int64_t>(value.As<Napi::Number>().DoubleValue());
  if (!value.IsString()) throw Napi::TypeError::New(env, std::string(name) + " is missing");
  return std::strtoll(value.As<Napi::String>().Utf8Value().c_str(), nullptr, 10);
}

void TimesFrom(const Napi::Env& env, const Napi::Object& facts, struct timespec times[2]) {
  const char* names[2] = {"accessed", "modified"};
  for (int index = 0; index < 2; index++) {
    const int64_t nanoseconds = Integer(env, facts, names[index]);
    const int64_t below = (nanoseconds % kBillion + kBillion) % kBillion;
    times[index].tv_sec = static_cast<time_t>((nanoseconds - below) / kBillion);
    times[index].tv_nsec = static_cast<long>(below);
  }
}

// Owner, mode and times of an open file or folder.
void SetFacts(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int file = Number(info, 0);
  const Napi::Object facts = info[1].As<Napi::Object>();
  struct timespec times[2];
  TimesFrom(env, facts, times);
  const auto uid = static_cast<uid_t>(Integer(env, facts, "uid"));
  const auto gid = static_cast<gid_t>(Integer(env, facts, "gid"));
  if (fchown(file, uid, gid) < 0) Fail(env, "chown", errno);
  // After the owner, whose change takes set-user-id bits away.
  if (fchmod(file, static_cast<mode_t>(Integer(env, facts, "mode"))) < 0) Fail(env, "chmod", errno);
  if (futimens(file, times) < 0) Fail(env, "utimens", errno);
}

// Owner and times of a link itself.
void SetLinkFacts(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string name = Name(info, 1);
  const Napi::Object facts = info[2].As<Napi::Object>();
  struct timespec times[2];
  TimesFrom(env, facts, times);
  const auto uid = static_cast<uid_t>(Integer(env, facts, "uid"));
  const auto gid = static_cast<gid_t>(Integer(env, facts, "gid"));
  if (fchownat(Number(info, 0), name.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW) < 0) Fail(env, "chown", errno);
  if (utimensat(Number(info, 0), name.c_str(), times, AT_SYMLINK_NOFOLLOW) < 0) Fail(env, "utimens", errno);
}

Napi::Value Attributes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::vector<ExtendedAttribute> found;
  const size_t most = info.Length() > 1 && info[1].IsNumber() ? info[1].As<Napi::Number>().Uint32Value() : 65'536;
  Check(env, "listxattr", ReadAttributes(Number(info, 0), most, found));
  Napi::Array result = Napi::Array::New(env);
  for (size_t index = 0; index < found.size(); index++) {
    Napi::Object one = Napi::Object::New(env);
    one.Set("name", found[index].name);
    one.Set("size", static_cast<double>(found[index].size));
    one.Set("value", Napi::Buffer<char>::Copy(env, found[index].value.data(), found[index].value.size()));
    result.Set(static_cast<uint32_t>(index), one);
  }
  return result;
}

void SetAttribute(const Napi::CallbackInfo& info) {
  if (info.Length() < 3 || !info[2].IsBuffer()) throw Napi::TypeError::New(info.Env(), "a value is missing");
  const auto value = info[2].As<Napi::Buffer<char>>();
  ExtendedAttribute one;
  one.name = Text(info, 1);
  one.value.assign(value.Data(), value.Length());
  Check(info.Env(), "setxattr", WriteAttribute(Number(info, 0), one));
}

void Flags(const Napi::CallbackInfo& info) {
  const double flags = info.Length() > 1 && info[1].IsNumber() ? info[1].As<Napi::Number>().DoubleValue() : 0;
  Check(info.Env(), "flags", SetFlags(Number(info, 0), static_cast<uint32_t>(flags)));
}

void Copy(const Napi::CallbackInfo& info) {
  Check(info.Env(), "copy of metadata", CopyMetadata(Number(info, 0), Number(info, 1)));
}

// Undefined when there is none.
Napi::Value Acl(const Napi::CallbackInfo& info) {
  std::string text;
  Check(info.Env(), "access control list", ReadAcl(Number(info, 0), text));
  return text.empty() ? info.Env().Undefined() : Napi::String::New(info.Env(), text);
}

}  // namespace

Napi::Object DefineFileCalls(Napi::Env env) {
  Napi::Object calls = Napi::Object::New(env);
  const auto add = [&](const char* name, auto function) { calls.Set(name, Napi::Function::New(env, function, name)); };
  add("openTop", OpenTop);
  add("openFolder", OpenFolder);
  add("openFile", OpenFile);
  add("createFile", CreateFile);
  add("makeFolder", MakeFolder);
  add("statAt", StatAt);
  add("statOf", StatOf);
  add("namesIn", NamesIn);
  add("rename", Rename);
  add("remove", Remove);
  add("readLink", ReadLink);
  add("makeLink", MakeLink);
  add("setFacts", SetFacts);
  add("setLinkFacts", SetLinkFacts);
  add("attributes", Attributes);
  add("setAttribute", SetAttribute);
  add("setFlags", Flags);
  add("copyMetadata", Copy);
  add("acl", Acl);
  return calls;
}

}  // namespace launchwarden
