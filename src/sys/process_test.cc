#include "sys/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

namespace berth::sys {
namespace {

template <typename Body>
UniqueFd child(Body body) {
  auto made = clone_process({});
  EXPECT_TRUE(made.ok()) << made.error().message();
  if (made->pid == 0) body();
  return std::move(made->pidfd);
}

TEST(Process, TellsItsExitCode) {
  const UniqueFd pidfd = child([] { ::_exit(7); });
  const auto status = wait_process(pidfd.get());
  ASSERT_TRUE(status.ok()) << status.error().message();
  EXPECT_EQ(status->code, 7);
  EXPECT_EQ(status->signal, 0);
  EXPECT_EQ(status->shell_code(), 7);
}

TEST(Process, TellsTheSignalThatEndedIt) {
  const UniqueFd pidfd = child([] {
    for (;;) ::pause();
  });
  ASSERT_TRUE(signal_process(pidfd.get(), SIGTERM).ok());
  const auto status = wait_process(pidfd.get());
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(status->signal, SIGTERM);
  EXPECT_EQ(status->shell_code(), 128 + SIGTERM);
}

TEST(Process, ThatHasEndedIsNotFoundWhoeverHasItsNumberNow) {
  const UniqueFd pidfd = child([] { ::_exit(0); });
  ASSERT_TRUE(wait_process(pidfd.get()).ok());
  EXPECT_EQ(signal_process(pidfd.get(), SIGKILL).error().kind(), ErrorKind::kNotFound);
  EXPECT_FALSE(wait_process(pidfd.get()).ok());
}

TEST(Process, IsOpenedByItsNumber) {
  const auto own = open_pidfd(::getpid());
  ASSERT_TRUE(own.ok());
  EXPECT_TRUE(signal_process(own->get(), 0).ok());
  EXPECT_NE(::fcntl(own->get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_FALSE(open_pidfd(-1).ok());
}

TEST(Process, FlagsThatMakeNoSenseAreAnError) {
  const auto made = clone_process({.flags = 0xFF00000000000000, .cgroup = -1});
  EXPECT_FALSE(made.ok());
}

}  // namespace
}  // namespace berth::sys
