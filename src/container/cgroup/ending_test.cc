// What a manager signals, with a cgroup that is a list.
#include "container/cgroup/ending.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "container/cgroup/manager.h"
#include "sys/process.h"

namespace berth::container {
namespace {

// A child that does nothing until it is killed.
class Child {
 public:
  Child() {
    auto cloned = sys::clone_process({});
    if (cloned->pid == 0) {
      for (;;) ::pause();
    }
    pid_ = cloned->pid;
    pidfd_ = std::move(cloned->pidfd);
  }
  ~Child() {
    (void)sys::signal_process(pidfd_.get(), SIGKILL);
    (void)sys::wait_process(pidfd_.get());
  }
  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }
  bool has_ended(int patience_ms) const {
    pollfd ended{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
    return ::poll(&ended, 1, patience_ms) > 0;
  }

 private:
  pid_t pid_ = 0;
  UniqueFd pidfd_;
};

// Shows one list after the other, the last for ever.
class Listed final : public CgroupManager {
 public:
  explicit Listed(std::vector<std::vector<pid_t>> looks) : looks_(std::move(looks)) {}

  Result<std::vector<pid_t>> processes() const override {
    const auto& look = looks_[std::min(next_, looks_.size() - 1)];
    ++next_;
    return look;
  }
  Result<void> kill() { return kill_all(); }

  Result<void> create(pid_t) override { return {}; }
  Result<void> apply(const Resources&) override { return {}; }
  const std::vector<std::string>& paths() const override { return paths_; }
  const std::string& relative() const override { return relative_; }
  const std::vector<Hierarchy>& hierarchies() const override { return hierarchies_; }
  CgroupVersion version() const override { return CgroupVersion::kV1; }
  Result<CgroupStats> stats() const override { return CgroupStats(); }
  Result<void> freeze(bool) override { return {}; }
  Result<void> destroy() override { return {}; }

 private:
  std::vector<std::vector<pid_t>> looks_;
  mutable std::size_t next_ = 0;
  std::string relative_;
  std::vector<std::string> paths_ = {"/cgroup"};
  std::vector<Hierarchy> hierarchies_;
};

TEST(SignalAll, ReachesWhatTwoLooksShow) {
  const Child child;
  const pid_t pid = child.pid();
  Listed cgroup({{pid}, {pid}, {}});
  ASSERT_TRUE(cgroup.signal_all(SIGKILL).ok());
  EXPECT_TRUE(child.has_ended(-1));
}

// Its number was reused, between the look and the opening, by a process outside.
TEST(SignalAll, LeavesAloneWhatTheSecondLookDoesNotShow) {
  const Child outsider;
  Listed cgroup({{outsider.pid()}, {}, {}});
  ASSERT_TRUE(cgroup.signal_all(SIGKILL).ok());
  EXPECT_FALSE(outsider.has_ended(0));
}

TEST(KillAll, WaitsUntilAllHaveEnded) {
  const Child one, two;
  const std::vector<pid_t> both = {one.pid(), two.pid()};
  // Looks: to signal, to be sure, to find no more; to wait, to be sure; then they are gone.
  Listed cgroup({both, both, both, both, both, {}});
  ASSERT_TRUE(cgroup.kill().ok());
  EXPECT_TRUE(one.has_ended(0));
  EXPECT_TRUE(two.has_ended(0));
}

TEST(WaitUntilEnded, GivesUpAtTheDeadlineAndSaysWhatToLookFor) {
  const Child child;
  const auto waited = wait_until_ended(child.pidfd(), std::chrono::steady_clock::now());
  ASSERT_FALSE(waited.ok());
  EXPECT_EQ(waited.error().kind(), ErrorKind::kConflict);
  EXPECT_NE(waited.error().message().find("state D"), std::string::npos);
}

}  // namespace
}  // namespace berth::container
