#include "berth-runtime/foreground.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>

#include "sys/file.h"
#include "sys/process.h"

namespace berth::runtime {
namespace {

// What a user or a manager may mean for the workload. The others are faults, or of no meaning to
// it.
constexpr auto kPassed = std::to_array<int>(
    {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM, SIGCONT, SIGALRM, SIGWINCH});

void copy_size(int console) {
  winsize size = {};
  if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) (void)::ioctl(console, TIOCSWINSZ, &size);
}

// Moves what is there; false: the source has ended. A pty's master says so with EIO.
bool relay(int from, int to) {
  char buffer[16384];
  const ssize_t count = ::read(from, buffer, sizeof buffer);
  if (count <= 0) return count < 0 && (errno == EINTR || errno == EAGAIN);
  return sys::write_all(to, std::string_view(buffer, static_cast<std::size_t>(count))).ok();
}

}  // namespace

Result<void> Foreground::catch_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : kPassed) ::sigaddset(&set, signal);
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return fail_errno("cannot block signals");
  signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_.valid()) return fail_errno("cannot open a signal descriptor");
  return {};
}

void Foreground::pass_signal(int pidfd, int console) const {
  signalfd_siginfo info = {};
  if (::read(signals_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return;
  if (info.ssi_signo == SIGWINCH) {
    if (console >= 0) copy_size(console);
    return;
  }
  (void)sys::signal_process(pidfd, static_cast<int>(info.ssi_signo));  // it may just have ended
}

void Foreground::set_raw() {
  termios settings = {};
  if (::tcgetattr(STDIN_FILENO, &settings) != 0) return;
  saved_ = settings;
  ::cfmakeraw(&settings);
  (void)::tcsetattr(STDIN_FILENO, TCSANOW, &settings);
}

void Foreground::restore_terminal() {
  if (saved_) (void)::tcsetattr(STDIN_FILENO, TCSANOW, &*saved_);
  saved_.reset();
}

Result<int> Foreground::wait(int pidfd, int console) {
  if (console >= 0) {
    copy_size(console);
    set_raw();
  }
  enum { kEnded, kSignal, kOutput, kInput, kCount };
  std::array<pollfd, kCount> watched = {{{pidfd, POLLIN, 0},
                                         {signals_.get(), POLLIN, 0},
                                         {console, POLLIN, 0},
                                         {console >= 0 ? STDIN_FILENO : -1, POLLIN, 0}}};
  while (watched[kEnded].revents == 0) {
    if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) return fail_errno("poll");
    if (watched[kSignal].revents != 0) pass_signal(pidfd, console);
    if (watched[kOutput].revents != 0 && !relay(console, STDOUT_FILENO)) watched[kOutput].fd = -1;
    if (watched[kInput].revents != 0 && !relay(STDIN_FILENO, console)) watched[kInput].fd = -1;
  }
  // What it wrote last is still in the pty.
  while (console >= 0 && watched[kOutput].fd >= 0 && ::poll(&watched[kOutput], 1, 0) > 0 &&
         relay(console, STDOUT_FILENO)) {
  }
  restore_terminal();
  return TRY(sys::wait_process(pidfd)).shell_code();
}

}  // namespace berth::runtime
