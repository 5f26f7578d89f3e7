#include "berth/verb/foreground.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <utility>

namespace berth::cli {
namespace {

// How long an engine may take to remove a workload that did not start.
constexpr std::chrono::seconds kRemovalTime{10};
// What a shell reports of a process that a signal ended.
constexpr int kExitOfSignal = 128;
constexpr int kAskedToEnd = 3;

}  // namespace

Result<void> check_terminal(bool input, bool tty) {
  if (input && tty && !is_terminal(STDIN_FILENO))
    return fail(ErrorKind::kInvalid, "the input device is not a TTY");
  return {};
}

Result<Foreground> Foreground::open(Client& client, Options options) {
  // With a terminal the queue is needed even if nothing is forwarded: window sizes, and a way out
  // that restores it.
  std::optional<SignalQueue> signals;
  if (options.forward_signals || options.tty)
    signals.emplace(TRY(SignalQueue::open(forwarded_signals())));

  Target attach("/containers");
  attach.segment(options.workload).then("/attach").query("stream", "1");
  attach.flag("stdin", options.streams.input)
      .flag("stdout", options.streams.output)
      .flag("stderr", options.streams.errors)
      .maybe("detachKeys", options.detach_keys);
  HttpConnection stream = TRY(client.open());
  TRY(client.send(stream, "POST", attach, true));
  // Both questions are on their way before the first answer is waited for.
  ExitStatus exit = TRY(ExitStatus::request(client, options.workload, options.wait_condition));
  TRY(Client::receive_head(stream));
  TRY(exit.confirm());
  return Foreground(client, std::move(options), std::move(stream), std::move(exit),
                    std::move(signals));
}

// Waits until there is something to read. Signals that come meanwhile are for the workload; but who
// asks three times to end is not kept waiting by an engine that does not answer.
Result<void> Foreground::wait_for_answer(int fd) {
  int asked = 0;
  for (;;) {
    std::array<pollfd, 2> events = {{{fd, POLLIN, 0}, {signals_ ? signals_->fd() : -1, POLLIN, 0}}};
    if (::poll(events.data(), events.size(), -1) < 0 && errno != EINTR) return fail_errno("poll");
    if (events[0].revents != 0) return {};
    while (const auto signal = signals_ ? signals_->take() : std::nullopt) {
      early_.push_back(*signal);
      if ((*signal == SIGINT || *signal == SIGTERM) && ++asked == kAskedToEnd)
        return fail(ErrorKind::kInternal, "got {} SIGTERM/SIGINTs, forcefully exiting",
                    kAskedToEnd);
    }
  }
}

Result<void> Foreground::start(bool removes_itself) {
  Target target("/containers");
  HttpConnection request =
      TRY(client_->begin("POST", target.segment(options_.workload).then("/start")));
  TRY(wait_for_answer(request.fd()));
  const auto started = client_->finish(std::move(request));
  if (started.ok()) return {};
  if (removes_itself) exit_.await_for(kRemovalTime);
  return started.error();
}

void Foreground::resize() {
  const TerminalSize size = terminal_size(STDOUT_FILENO);
  if (size.rows == 0 || size.columns == 0) return;
  Target target("/containers");
  target.segment(options_.workload).then("/resize");
  target.query("h", std::to_string(size.rows)).query("w", std::to_string(size.columns));
  // A workload that has just ended has no window to resize.
  std::ignore = client_->call("POST", target);
}

bool Foreground::on_signal(int signal) {
  if (signal == SIGWINCH && options_.tty) {
    resize();
    return true;
  }
  if (!options_.forward_signals) {
    const bool ends =
        signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT;
    if (ends) stopped_by_ = signal;
    return !ends;
  }
  Target target("/containers");
  target.segment(options_.workload).then("/kill").query("signal", signal_name(signal));
  // The workload may be gone already; its exit code is on the way.
  std::ignore = client_->call("POST", target);
  return true;
}

Result<int> Foreground::run() {
  if (options_.tty) resize();
  std::fflush(stdout);
  for (const int signal : std::exchange(early_, {}))
    if (!on_signal(signal)) return kExitOfSignal + stopped_by_;
  AttachmentEnd end = AttachmentEnd::kClosed;
  if (options_.streams.any()) {
    Attachment attachment = TRY(Attachment::open(
        std::move(stream_), {options_.tty, options_.streams.input, options_.detach_keys}));
    end = TRY(attachment.run(signals_ ? &*signals_ : nullptr,
                             [this](int signal) { return on_signal(signal); }));
  }
  if (end == AttachmentEnd::kDetached) return 0;
  if (end == AttachmentEnd::kStopped) return kExitOfSignal + stopped_by_;
  if (!exit_.has_received()) TRY(wait_for_answer(exit_.fd()));
  return exit_.await();
}

}  // namespace berth::cli
