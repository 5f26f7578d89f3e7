#include "berth/stream/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <array>

namespace berth::cli {
namespace {

struct SignalRow {
  int number;
  std::string_view name;
};
constexpr std::array<SignalRow, 15> kForwarded = {{{SIGHUP, "HUP"},
                                                   {SIGINT, "INT"},
                                                   {SIGQUIT, "QUIT"},
                                                   {SIGUSR1, "USR1"},
                                                   {SIGUSR2, "USR2"},
                                                   {SIGALRM, "ALRM"},
                                                   {SIGTERM, "TERM"},
                                                   {SIGCONT, "CONT"},
                                                   {SIGTSTP, "TSTP"},
                                                   {SIGXCPU, "XCPU"},
                                                   {SIGVTALRM, "VTALRM"},
                                                   {SIGPROF, "PROF"},
                                                   {SIGWINCH, "WINCH"},
                                                   {SIGIO, "IO"},
                                                   {SIGPWR, "PWR"}}};
constexpr auto kForwardedNumbers = [] {
  std::array<int, kForwarded.size()> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = kForwarded[i].number;
  return numbers;
}();

}  // namespace

std::string_view signal_name(int signal) {
  for (const SignalRow& row : kForwarded)
    if (row.number == signal) return row.name;
  return {};
}

std::span<const int> forwarded_signals() {
  return kForwardedNumbers;
}

Result<SignalQueue> SignalQueue::open(std::span<const int> signals) {
  sigset_t wanted;
  sigset_t before;
  sigemptyset(&wanted);
  for (const int signal : signals) sigaddset(&wanted, signal);
  if (::sigprocmask(SIG_BLOCK, &wanted, &before) < 0) return fail_errno("sigprocmask");
  UniqueFd fd(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) {
    Error error = fail_errno("signalfd");
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    return error;
  }
  return SignalQueue(std::move(fd), before);
}

SignalQueue::SignalQueue(SignalQueue&& other) noexcept = default;

SignalQueue::~SignalQueue() {
  if (fd_.valid()) ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<int> SignalQueue::take() {
  signalfd_siginfo info{};
  if (::read(fd_.get(), &info, sizeof(info)) != static_cast<ssize_t>(sizeof(info)))
    return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

}  // namespace berth::cli
