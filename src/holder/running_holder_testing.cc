#include "holder/running_holder_testing.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "base/strong_id.h"
#include "container/spec/spec.h"
#include "holder/log_reader.h"
#include "sys/file.h"
#include "sys/memfd.h"
#include "sys/process.h"
#include "sys/socket.h"

namespace berth::holder {
namespace {

// Far longer than anything here takes; a hang fails the test instead of stopping the run.
constexpr std::chrono::seconds kPatience{30};
constexpr const char* kBusybox = "/bin/busybox";

std::string program() {
  return std::string(BERTH_BIN_DIR) + "/berth-holder";
}

std::string payloads(std::string_view stream) {
  std::string all;
  while (stream.size() >= kFrameHeaderSize) {
    std::size_t length = 0;
    for (std::size_t i = 4; i < kFrameHeaderSize; ++i)
      length = length * 256 + static_cast<unsigned char>(stream[i]);
    stream.remove_prefix(kFrameHeaderSize);
    all += stream.substr(0, length);
    stream.remove_prefix(std::min(length, stream.size()));
  }
  return all;
}

// One read, for which it waits; empty: the end.
std::string read_some(const UniqueFd& client) {
  std::string chunk(64U << 10, '\0');
  const auto readable = sys::wait_readable(client.get(), kPatience);
  EXPECT_TRUE(readable.ok() && *readable) << "nothing was sent to the client";
  const ssize_t n = ::read(client.get(), chunk.data(), chunk.size());
  chunk.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return chunk;
}

}  // namespace

std::string reason_to_skip() {
  if (::geteuid() != 0) return "needs root";
  if (::access(kBusybox, X_OK) != 0) return "needs Debian's busybox-static at /bin/busybox";
  if (::access(program().c_str(), X_OK) != 0) return "needs " + program();
  return {};
}

RunningHolder::RunningHolder()
    : id_("test-" + random_hex(12)),
      run_dir_(directory_.path() + "/run"),
      state_dir_(directory_.path() + "/state"),
      bundle_(directory_.path() + "/bundle") {
  namespace fs = std::filesystem;
  for (const std::string& path : {run_dir_, state_dir_}) fs::create_directories(path);
  for (const char* name : {"bin", "etc", "tmp", "proc", "sys", "dev"})
    fs::create_directories(bundle_ + "/rootfs/" + name);
  fs::copy_file(kBusybox, bundle_ + "/rootfs/bin/busybox");
  for (const char* name : {"sh", "cat", "sleep", "dd", "head", "tail", "stty", "yes", "kill"})
    fs::create_symlink("busybox", bundle_ + "/rootfs/bin/" + name);
  // A test cannot go on without its holder.
  Spawned spawned = MUST(spawn_holder(program(), id_, run_dir_));
  socket_ = std::move(spawned.socket);
  pid_ = spawned.pid;
  EXPECT_FALSE(expect<Hello>().running);
}

RunningHolder::~RunningHolder() {
  if (reaped_) return;
  // The workload first: with it the holder takes the container down in an orderly way.
  if (const auto text = sys::read_file(run_dir_ + "/started.json"); text.ok()) {
    const auto started = started_record_from_json(*text);
    // Still the holder's child, so the number is still its own.
    if (started.ok() && started->pid > 0) ::kill(started->pid, SIGKILL);
  }
  hang_up();
  wait_for_end();
}

Start RunningHolder::start_request() const {
  Start request;
  request.id = id_;
  request.state_dir = state_dir_;
  request.bundle = bundle_;
  request.log_path = log_path();
  return request;
}

void RunningHolder::start(const Start& request, const std::vector<std::string>& args,
                          std::int64_t memory_limit) {
  container::Spec spec = container::default_spec();
  spec.process.args = args;
  spec.process.env = {"PATH=/bin"};
  spec.root.readonly = false;
  if (memory_limit > 0) {
    spec.linux_.resources.memory.limit = memory_limit;
    spec.linux_.resources.memory.swap = memory_limit;
  }
  // Memory for a few KiB, and a channel whose other end has just answered.
  const UniqueFd file = MUST(sys::sealed_memfd("spec", container::to_json(spec)));
  MUST(holder::send(socket_.get(), request, std::array{file.get()}));
}

UniqueFd RunningHolder::attach(const Attach& request) {
  auto [ours, theirs] = MUST(sys::stream_pair());  // descriptors are to be had in a test
  const auto sent = holder::send(socket_.get(), request, std::array{theirs.get()});
  EXPECT_TRUE(sent.ok());
  return std::move(ours);
}

void RunningHolder::send(const EngineMessage& message, std::uint64_t sequence) {
  const auto sent = holder::send(socket_.get(), message, {}, sequence);
  EXPECT_TRUE(sent.ok());
}

HolderMessage RunningHolder::next() {
  auto message = receive(socket_.get(), kPatience);
  EXPECT_TRUE(message.ok()) << message.error().message();
  return message.ok() ? std::move(*message) : HolderMessage();
}

template <typename T>
T RunningHolder::expect() {
  const HolderMessage message = next();
  const T* wanted = std::get_if<T>(&message);
  EXPECT_NE(wanted, nullptr) << encode(message);
  return wanted != nullptr ? *wanted : T{};
}
template Hello RunningHolder::expect<Hello>();
template Started RunningHolder::expect<Started>();
template StartFailed RunningHolder::expect<StartFailed>();
template Exited RunningHolder::expect<Exited>();
template Reply RunningHolder::expect<Reply>();

Reply RunningHolder::reply_to(const EngineMessage& message) {
  send(message, 1);
  return expect<Reply>();
}

std::string RunningHolder::read_to_end(const UniqueFd& client, bool framed) {
  std::string all;
  for (;;) {
    const std::string chunk = read_some(client);
    if (chunk.empty()) return framed ? payloads(all) : all;
    all += chunk;
  }
}

std::string RunningHolder::read_until(const UniqueFd& client, std::string_view wanted,
                                      bool framed) {
  std::string all;
  for (;;) {
    const std::string chunk = read_some(client);
    all += chunk;
    std::string text = framed ? payloads(all) : all;
    if (chunk.empty() || text.find(wanted) != std::string::npos) return text;
  }
}

void RunningHolder::reconnect() {
  socket_ = MUST(connect_holder(run_dir_));
}

int RunningHolder::wait_for_end() {
  if (reaped_) return 0;
  const auto pidfd = sys::open_pidfd(pid_);
  const auto ended = pidfd.ok() ? sys::wait_readable(pidfd->get(), kPatience) : Result<bool>(true);
  EXPECT_TRUE(ended.ok() && *ended) << "the holder does not end";
  if (!ended.ok() || !*ended) ::kill(pid_, SIGKILL);
  int status = 0;
  ::waitpid(pid_, &status, 0);
  reaped_ = true;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::vector<std::string> RunningHolder::logged() const {
  std::vector<std::string> texts;
  auto reader = LogReader::open(log_path(), {});
  EXPECT_TRUE(reader.ok());
  while (reader.ok()) {
    const auto part = reader->read();
    EXPECT_TRUE(part.ok());
    if (!part.ok()) break;
    for (const LogRecord& record : part->records) texts.push_back(record.text);
    if (part->at_end) break;
  }
  return texts;
}

Exited RunningHolder::exit_record() const {
  const auto text = sys::read_file(state_dir_ + "/exit.json");
  EXPECT_TRUE(text.ok());
  const auto record = exit_record_from_json(text.ok() ? *text : "");
  EXPECT_TRUE(record.ok());
  return record.ok() ? *record : Exited{};
}

}  // namespace berth::holder
