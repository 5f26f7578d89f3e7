#include "container/checkpoint/criu.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "container/cgroup/ending.h"
#include "container/checkpoint/criu_log.h"
#include "sys/file.h"
#include "sys/find_program.h"
#include "sys/process.h"
#include "sys/socket.h"

namespace berth::container {
namespace {

// An answer has a few numbers and names; criu's own buffers for them are a few KiB.
constexpr std::size_t kMaxResponse = 64U << 10;
// What a notification may take criu to: a loop on its side is not one on ours.
constexpr int kMaxNotifications = 4096;

Result<std::string> find_criu() {
  auto found = sys::find_program("criu");
  if (found.ok()) return found;
  return fail(ErrorKind::kNotFound,
              "checkpoint and restore need criu (https://criu.org), which is not in PATH");
}

Error describe(const Failure& failure, const CriuPlace& place, const std::string& program) {
  const auto point = [&]() -> std::string_view {
    if (!place.root || failure.index >= place.root->points.size()) return "?";
    return place.root->points[failure.index].destination;
  };
  const auto text = [&]() -> std::string {
    switch (failure.step) {
      case Step::kEnterCgroup:
        return "cannot bring criu into the container's cgroups";
      case Step::kPropagation:
        return "cannot make a mount namespace for criu";
      case Step::kOpenRootfs:
        return fmt::format("cannot mount the container's root {}",
                           place.root ? std::string_view(place.root->path) : "?");
      case Step::kMountTarget:
        return fmt::format("cannot make the place of the mount {}", point());
      case Step::kMountSource:
      case Step::kMountAttach:
        return fmt::format("cannot bind what is to be mounted at {}", point());
      case Step::kExec:
        return fmt::format("cannot execute {}", program);
      default:
        return "cannot give criu its descriptors";
    }
  }();
  return Error::from_errno(failure.error, text);
}

Result<UniqueFd> make_output() {
  UniqueFd output(::memfd_create("criu", MFD_CLOEXEC));
  if (!output.valid()) return fail_errno("cannot make a file for what criu prints");
  return output;
}

// What criu inherits, in the order of its numbers. -1 among the streams: what it prints is kept.
Result<std::vector<int>> descriptors_for(const CriuPlace& place, int null, int output, int socket) {
  std::vector<int> fds;
  for (int i = 0; i < kCriuSocket; ++i) {
    const int own = i == STDIN_FILENO ? null : output;
    fds.push_back(place.streams[i] >= 0 ? place.streams[i] : own);
  }
  fds.push_back(socket);
  fds.insert(fds.end(), place.passed.begin(), place.passed.end());
  return fds;
}

// Without a log, criu's answer may have the reason.
Error refusal(CriuVerb verb, const CriuResponse& response) {
  std::string_view why = response.message;
  while (why.ends_with('\n')) why.remove_suffix(1);
  if (why.empty() && response.error > 0) why = std::strerror(response.error);
  return fail(ErrorKind::kInternal, "criu cannot {} the container{}{}", to_string(verb),
              why.empty() ? "" : ": ", why);
}

}  // namespace

std::string criu_version_text(int version) {
  const int sublevel = version % 100;
  const std::string text = fmt::format("{}.{}", version / 10000, version / 100 % 100);
  return sublevel == 0 ? text : fmt::format("{}.{}", text, sublevel);
}

Result<Criu> Criu::start(const CriuPlace& place) {
  CriuExec exec{
      .program = TRY(find_criu()), .fds = {}, .entrances = place.entrances, .root = place.root};
  auto [own_end, criu_end] = TRY(sys::seqpacket_pair());
  UniqueFd output = TRY(make_output());
  const UniqueFd null = TRY(sys::open_file("/dev/null", O_RDWR));
  exec.fds = TRY(descriptors_for(place, null.get(), output.get(), criu_end.get()));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("cannot make a pipe");
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  auto cloned = TRY(sys::clone_process(
      {.flags = place.root ? std::uint64_t{CLONE_NEWNS} : 0, .cgroup = place.cgroup}));
  if (cloned.pid == 0) exec_criu(exec, writing.get());
  writing.reset();
  criu_end.reset();
  Criu criu(cloned.pid, std::move(cloned.pidfd), std::move(own_end), std::move(output));
  Failure failure;
  if (::read(reading.get(), &failure, sizeof failure) == static_cast<ssize_t>(sizeof failure))
    return describe(failure, place, exec.program);
  const CriuResponse answer =
      TRY(criu.ask(encode_request(CriuVerb::kVersion, nullptr, true)).context(exec.program));
  criu.version_ = answer.version;
  if (criu.version_ < kOldestCriu)
    return fail(ErrorKind::kUnsupported, "{} is version {}, and {} or newer is needed",
                exec.program, criu_version_text(criu.version_), criu_version_text(kOldestCriu));
  return criu;
}

Criu::~Criu() {
  if (!pidfd_.valid()) return;
  socket_.reset();
  if (!wait_until_ended(pidfd_.get(), kill_deadline()).ok())
    (void)sys::signal_process(pidfd_.get(), SIGKILL);
  (void)sys::wait_process(pidfd_.get());
}

Error Criu::has_ended() {
  socket_.reset();
  const auto status = sys::wait_process(pidfd_.get());
  pidfd_.reset();
  std::string text = "criu ended before it answered";
  if (status.ok() && status->signal != 0)
    text += fmt::format(", by signal {}", status->signal);
  else if (status.ok())
    text += fmt::format(", with exit code {}", status->code);
  if (const std::string said = last_line_of(output_.get()); !said.empty()) text += ": " + said;
  return Error(ErrorKind::kInternal, text);
}

Result<CriuResponse> Criu::receive(UniqueFd* passed) {
  for (;;) {
    enum { kSocket, kEnded, kCount };
    pollfd watched[kCount] = {{socket_.get(), POLLIN, 0}, {pidfd_.get(), POLLIN, 0}};
    if (::poll(watched, kCount, -1) < 0) {
      if (errno == EINTR) continue;
      return fail_errno("cannot wait for criu");
    }
    // What it said last is heard even if it has ended since.
    auto message = TRY(sys::receive_message(socket_.get(), kMaxResponse, sys::Wait::kNo));
    if (message && !message->bytes.empty()) {
      if (passed && !message->fds.empty()) *passed = std::move(message->fds.front());
      return decode_response(message->bytes);
    }
    if (message || watched[kEnded].revents != 0) return has_ended();
  }
}

Result<CriuResponse> Criu::ask(std::string_view request) {
  if (auto sent = sys::send_message(socket_.get(), request); !sent.ok()) return has_ended();
  return receive(nullptr);
}

Result<void> Criu::need(const CriuFeatures& wanted) {
  const CriuResponse answer = TRY(ask(encode_feature_check(wanted)));
  if (!answer.success) return fail(ErrorKind::kUnsupported, "criu cannot tell what it can do here");
  const auto lacks = [](std::string_view what) {
    return fail(ErrorKind::kUnsupported, "criu says that this host cannot {}", what);
  };
  if (wanted.memory_tracking && !answer.features.memory_tracking)
    return lacks("track changes of memory, which --pre-dump needs");
  if (wanted.lazy_pages && !answer.features.lazy_pages)
    return lacks("bring memory later, which --lazy-pages needs");
  return {};
}

// `heard`: the first error of the listener.
Result<CriuResponse> Criu::converse(CriuVerb verb, const Listener& listener, Result<void>& heard) {
  for (int i = 0; i < kMaxNotifications; ++i) {
    UniqueFd passed;
    CriuResponse response = TRY(receive(&passed));
    if (response.type == static_cast<std::uint32_t>(verb)) return response;
    if (response.type != static_cast<std::uint32_t>(CriuVerb::kNotify))
      return fail(ErrorKind::kInternal, "criu answered a {} with a message {}", to_string(verb),
                  response.type);
    if (heard.ok()) heard = listener(response, std::move(passed));
    (void)sys::send_message(socket_.get(), encode_notify_reply(heard.ok()));  // its end shows next
  }
  return fail(ErrorKind::kInternal, "criu does not come to an end");
}

Result<void> Criu::run(CriuVerb verb, const CriuOptions& options, const std::string& log_path,
                       const Listener& listener) {
  if (auto sent = sys::send_message(socket_.get(), encode_request(verb, &options)); !sent.ok())
    return has_ended();
  Result<void> heard;
  auto response = converse(verb, listener, heard);
  if (!heard.ok()) return heard;
  if (!response.ok()) return with_log(std::move(response).error(), log_path);
  if (response->success) return finish(verb);
  return with_log(refusal(verb, *response), log_path);
}

// After a pre-dump criu would wait for the dump, so its end of file is an error to it.
Result<void> Criu::finish(CriuVerb verb) {
  socket_.reset();
  const auto status = TRY(sys::wait_process(pidfd_.get()));
  pidfd_.reset();
  if (verb == CriuVerb::kPreDump || status.shell_code() == 0) return {};
  return fail(ErrorKind::kInternal, "criu said that it was done, and failed then (exit code {})",
              status.shell_code());
}

}  // namespace berth::container
