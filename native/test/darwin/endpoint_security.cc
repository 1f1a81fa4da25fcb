#include "endpoint_security.h"

#include <Block.h>

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

namespace {

std::atomic<int> alive{0};
std::mutex mutex;
scripted::Security script;
std::vector<std::string> calls;
size_t connects = 0;

}  // namespace

struct es_client_s {
  explicit es_client_s(es_handler_block_t given) : handler(Block_copy(given)) { alive++; }
  ~es_client_s() {
    Block_release(handler);
    alive--;
  }

  const es_handler_block_t handler;
  const std::thread::id owner = std::this_thread::get_id();
  std::mutex serial;  // held while the handler runs, and while the client is deleted
  bool deleted = false;
  std::set<uint32_t> subscribed;
  std::map<uint32_t, uint64_t> numbers;
  uint64_t global = 0;
};

namespace {

// A deleted client stays until nobody is sending to it.
std::vector<std::shared_ptr<es_client_s>> clients;

es_return_t Called(const std::string& call, bool fails = false) {
  std::lock_guard<std::mutex> lock(mutex);
  calls.push_back(call);
  return fails ? ES_RETURN_ERROR : ES_RETURN_SUCCESS;
}

scripted::Security Script() {
  std::lock_guard<std::mutex> lock(mutex);
  return script;
}

const char* Name(es_mute_path_type_t type) { return type == ES_MUTE_PATH_TYPE_TARGET_PREFIX ? "prefix " : "literal "; }

}  // namespace

extern "C" {

task_t mach_task_self() { return 1; }

kern_return_t task_info(task_t, task_flavor_t flavor, task_info_t into, mach_msg_type_number_t* count) {
  if (Script().no_token || flavor != TASK_AUDIT_TOKEN || *count != TASK_AUDIT_TOKEN_COUNT) return 5;
  *reinterpret_cast<audit_token_t*>(into) = scripted::TokenOf(4'711, 1);
  return KERN_SUCCESS;
}

es_new_client_result_t es_new_client(es_client_t** client, es_handler_block_t handler) {
  Called("connect");
  std::lock_guard<std::mutex> lock(mutex);
  const size_t index = connects++;
  const uint32_t answer = index < script.connect.size() ? script.connect[index] : uint32_t{ES_NEW_CLIENT_RESULT_SUCCESS};
  if (answer != ES_NEW_CLIENT_RESULT_SUCCESS) return static_cast<es_new_client_result_t>(answer);
  if (script.no_client) return ES_NEW_CLIENT_RESULT_SUCCESS;
  clients.push_back(std::make_shared<es_client_s>(handler));
  *client = clients.back().get();
  return ES_NEW_CLIENT_RESULT_SUCCESS;
}

es_return_t es_delete_client(es_client_t* client) {
  if (client->owner != std::this_thread::get_id()) return Called("delete on another thread", true);
  const bool fails = Script().delete_fails;
  if (!fails) {
    // A handler that runs is waited for.
    std::lock_guard<std::mutex> serial(client->serial);
    client->deleted = true;
  }
  std::shared_ptr<es_client_s> last;
  {
    std::lock_guard<std::mutex> lock(mutex);
    for (auto one = clients.begin(); one != clients.end() && !fails && !script.late; ++one)
      if (one->get() == client) {
        last = *one;
        clients.erase(one);
        break;
      }
  }
  return Called("delete", fails);
}

es_return_t es_subscribe(es_client_t* client, const es_event_type_t* events, uint32_t count) {
  const scripted::Security now = Script();
  bool refused = now.subscribe_fails;
  std::string call = "subscribe";
  for (uint32_t index = 0; index < count; index++) {
    refused = refused || events[index] > now.newest_type;
    call += " " + std::to_string(events[index]);
  }
  if (!refused) {
    std::lock_guard<std::mutex> serial(client->serial);
    client->subscribed.insert(events, events + count);
  }
  return Called(call, refused);
}

es_return_t es_unsubscribe_all(es_client_t* client) {
  std::lock_guard<std::mutex> serial(client->serial);
  if (!Script().late) client->subscribed.clear();
  return Called("unsubscribe");
}

es_return_t es_mute_process(es_client_t*, const audit_token_t* token) {
  return Called("mute " + std::to_string(token->val[5]), Script().mute_process_fails);
}

es_return_t es_mute_path(es_client_t*, const char* path, es_mute_path_type_t type) {
  return Called(std::string("mute ") + Name(type) + path, Script().refused_paths.count(path) != 0);
}

es_return_t es_unmute_path(es_client_t*, const char* path, es_mute_path_type_t type) {
  return Called(std::string("unmute ") + Name(type) + path, Script().refused_paths.count(path) != 0);
}

es_return_t es_unmute_all_target_paths(es_client_t*) { return Called("clear", Script().clear_fails); }

es_return_t es_invert_muting(es_client_t*, es_mute_inversion_type_t type) {
  return Called("invert " + std::to_string(type), Script().invert_fails);
}

es_respond_result_t es_respond_auth_result(es_client_t*, const es_message_t*, es_auth_result_t result, bool cache) {
  Called(std::string("respond ") + (result == ES_AUTH_RESULT_ALLOW ? "allow" : "deny") + (cache ? " cached" : ""));
  return ES_RESPOND_RESULT_SUCCESS;
}

uint32_t es_exec_arg_count(const es_event_exec_t* event) { return event->argument_count; }

es_string_token_t es_exec_arg(const es_event_exec_t* event, uint32_t index) { return event->arguments[index]; }

}  // extern "C"

namespace scripted {

void SetSecurity(const Security& given) {
  std::lock_guard<std::mutex> lock(mutex);
  script = given;
  calls.clear();
  clients.clear();
  connects = 0;
}

std::vector<std::string> SecurityCalls() {
  std::lock_guard<std::mutex> lock(mutex);
  return calls;
}

int SecurityAlive() { return alive; }

audit_token_t TokenOf(int pid, int pidversion) {
  const auto number = [](int value) { return static_cast<unsigned int>(value); };
  return {{501, 0, 20, 501, 21, number(pid), 100, number(pidversion)}};
}

es_string_token_t Memory::Text(std::string text) {
  // As the system's: without a NUL behind it.
  auto* bytes = New<std::vector<char>>();
  bytes->assign(text.begin(), text.end());
  return {bytes->size(), bytes->data()};
}

es_file_t* Memory::File(std::string path) {
  auto* file = New<es_file_t>();
  file->path = Text(std::move(path));
  file->stat.st_ino = 1152921500312525701;
  file->stat.st_size = 412;
  file->stat.st_mode = S_IFREG | 0644;
  file->stat.st_ctim = {1'700'000'000, 5'000};
  return file;
}

es_process_t* Memory::Process(int pid, std::string executable, int pidversion) {
  auto* process = New<es_process_t>();
  process->audit_token = TokenOf(pid, pidversion);
  process->ppid = 1;
  process->executable = File(std::move(executable));
  process->signing_id = Text("com.example.signed");
  process->start_time = {1'700'000'000, 7};
  process->parent_audit_token = TokenOf(1, 1);
  process->responsible_audit_token = TokenOf(pid, pidversion);
#if __MAC_OS_X_VERSION_MAX_ALLOWED >= 260000
  process->cs_validation_category = 6;
#endif
  return process;
}

void Send(const Sent& sent) {
  std::vector<std::shared_ptr<es_client_s>> now;
  bool late;
  {
    std::lock_guard<std::mutex> lock(mutex);
    now = clients;
    late = script.late;
  }
  for (const auto& client : now) {
    std::lock_guard<std::mutex> serial(client->serial);
    if ((client->deleted && !late) || client->subscribed.count(sent.type) == 0) continue;
    client->numbers[sent.type] += sent.skip;
    client->global += sent.skip;
    Memory memory;
    auto* message = memory.New<es_message_t>();
    alive++;
    message->version = sent.version;
    message->event_type = static_cast<es_event_type_t>(sent.type);
    message->action_type = ES_ACTION_TYPE_NOTIFY;
    message->time = {1'700'000'001, 123'456'789};
    message->process = memory.Process(100, "/bin/zsh");
    message->seq_num = client->numbers[sent.type]++;
    message->global_seq_num = client->global++;
    if (sent.fill) sent.fill(*message, memory);
    client->handler(client.get(), message);
    alive--;
  }
}

}  // namespace scripted
