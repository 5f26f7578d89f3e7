#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include "base/scope_exit.h"
#include "holder/running_holder_testing.h"
#include "sys/file.h"
#include "sys/socket.h"

namespace berth::holder {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Attach kOutput{.stdout_stream = true, .stderr_stream = true};
const Attach kEverything{.stdin_stream = true, .stdout_stream = true, .stderr_stream = true};

class HolderTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = reason_to_skip(); !reason.empty()) GTEST_SKIP() << reason;
    holder_.emplace();
  }
  RunningHolder& holder() { return *holder_; }
  Start request() { return holder_->start_request(); }

  std::optional<RunningHolder> holder_;
};

TEST_F(HolderTest, RunsAWorkloadAndLeavesItsOutputAndItsEnd) {
  holder().start_script(request(), "echo out; echo err >&2; exit 7");
  EXPECT_GT(holder().expect<Started>().pid, 0);
  const Exited exited = holder().expect<Exited>();
  EXPECT_EQ(exited.exit_code, 7);
  EXPECT_FALSE(exited.oom_killed);
  EXPECT_EQ(exited.error, "");
  EXPECT_EQ(holder().exit_record().exit_code, 7);
  EXPECT_EQ(holder().exit_record().finished_at, exited.finished_at);
  EXPECT_THAT(holder().logged(), testing::UnorderedElementsAre("out\n", "err\n"));
  EXPECT_EQ(holder().wait_for_end(), 0);
}

TEST_F(HolderTest, LeavesNothingButItsRecords) {
  holder().start_script(request(), "true");
  holder().expect<Started>();
  const auto text = sys::read_file(holder().run_dir() + "/started.json");
  ASSERT_TRUE(text.ok());
  const auto started = started_record_from_json(*text);
  ASSERT_TRUE(started.ok());
  EXPECT_EQ(started->holder_pid, holder().pid());
  EXPECT_FALSE(started->cgroups.empty());
  holder().expect<Exited>();
  for (const std::string& cgroup : started->cgroups)
    EXPECT_FALSE(std::filesystem::exists(cgroup)) << cgroup;
  holder().wait_for_end();
  EXPECT_FALSE(std::filesystem::exists(holder().run_dir() + "/holder.sock"));
}

TEST_F(HolderTest, AClientAttachedBeforeTheStartMissesNothing) {
  const UniqueFd client = holder().attach(kOutput);
  holder().start_script(request(), "echo first; echo last");
  EXPECT_EQ(RunningHolder::read_to_end(client), "first\nlast\n");
  holder().expect<Started>();
  holder().expect<Exited>();
}

TEST_F(HolderTest, WhatIsSentInFlowsOutAndItsEndEndsTheWorkload) {
  Start start = request();
  start.open_stdin = start.stdin_once = true;
  const UniqueFd client = holder().attach(kEverything);
  holder().start(start, {"/bin/cat"});
  ASSERT_EQ(::write(client.get(), "hello", 5), 5);
  ::shutdown(client.get(), SHUT_WR);
  EXPECT_EQ(RunningHolder::read_to_end(client), "hello");
  holder().expect<Started>();
  EXPECT_EQ(holder().expect<Exited>().exit_code, 0);
  EXPECT_THAT(holder().logged(), ElementsAre("hello"));
}

TEST_F(HolderTest, StdinIsEmptyUnlessItIsAskedFor) {
  holder().start(request(), {"/bin/cat"});
  holder().expect<Started>();
  EXPECT_EQ(holder().expect<Exited>().exit_code, 0);
}

TEST_F(HolderTest, TheEngineCanCloseStdin) {
  Start start = request();
  start.open_stdin = true;
  holder().start(start, {"/bin/cat"});
  holder().expect<Started>();
  EXPECT_TRUE(holder().reply_to(CloseStdin{}).ok);
  EXPECT_EQ(holder().expect<Exited>().exit_code, 0);
}

TEST_F(HolderTest, ATerminalHasTheSizeAskedForAndChangesIt) {
  Start start = request();
  start.open_stdin = start.tty = true;
  start.rows = 11;
  start.columns = 22;
  const UniqueFd client = holder().attach(kEverything);
  holder().start_script(start, "stty size; read line; stty size");
  EXPECT_THAT(RunningHolder::read_until(client, "11 22\r\n", false), HasSubstr("11 22\r\n"));
  holder().expect<Started>();
  EXPECT_TRUE(holder().reply_to(Resize{.rows = 33, .columns = 44}).ok);
  ASSERT_EQ(::write(client.get(), "\n", 1), 1);
  EXPECT_THAT(RunningHolder::read_to_end(client, false), HasSubstr("33 44\r\n"));
  EXPECT_EQ(holder().expect<Exited>().exit_code, 0);
}

TEST_F(HolderTest, ASizeSetBeforeTheStartIsKept) {
  Start start = request();
  start.tty = true;
  holder().send(Resize{.rows = 5, .columns = 6});
  const UniqueFd client = holder().attach(kOutput);
  holder().start_script(start, "stty size");
  EXPECT_EQ(RunningHolder::read_to_end(client, false), "5 6\r\n");
  holder().expect<Started>();
  holder().expect<Exited>();
}

TEST_F(HolderTest, TheDetachKeysLetGoOfTheClientAlone) {
  Start start = request();
  start.open_stdin = start.tty = true;
  const UniqueFd client = holder().attach(kEverything);
  holder().start(start, {"/bin/cat"});
  holder().expect<Started>();
  ASSERT_EQ(::write(client.get(), "\x10\x11", 2), 2);
  EXPECT_EQ(RunningHolder::read_to_end(client, false), "");
  holder().send(Status{});
  const Hello hello = holder().expect<Hello>();
  EXPECT_TRUE(hello.running);
  EXPECT_EQ(hello.clients, 0);
}

TEST_F(HolderTest, ASignalEndsItWithTheCodeOfAShell) {
  holder().start(request(), {"/bin/sleep", "1000"});
  holder().expect<Started>();
  EXPECT_TRUE(holder().reply_to(Signal{.number = SIGKILL}).ok);
  EXPECT_EQ(holder().expect<Exited>().exit_code, 128 + SIGKILL);
}

TEST_F(HolderTest, ASignalReachesTheWorkloadsHandler) {
  const UniqueFd client = holder().attach(kOutput);
  holder().start_script(request(), "trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done");
  EXPECT_EQ(RunningHolder::read_until(client, "ready\n"), "ready\n");
  holder().expect<Started>();
  holder().send(Signal{.number = SIGTERM});
  EXPECT_EQ(holder().expect<Exited>().exit_code, 3);
}

TEST_F(HolderTest, SignalsToTheHolderItselfAreNotForTheWorkload) {
  holder().start(request(), {"/bin/sleep", "1000"});
  holder().expect<Started>();
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) ::kill(holder().pid(), signal);
  holder().send(Status{});
  EXPECT_TRUE(holder().expect<Hello>().running);
}

TEST_F(HolderTest, AMissingProgramIs127) {
  const UniqueFd client = holder().attach(kOutput);
  holder().start(request(), {"/bin/absent"});
  const StartFailed failed = holder().expect<StartFailed>();
  EXPECT_EQ(failed.exit_code, 127);
  EXPECT_EQ(failed.kind, ErrorKind::kNotFound);
  EXPECT_THAT(failed.message, HasSubstr("/bin/absent"));
  EXPECT_EQ(RunningHolder::read_to_end(client), "");
  EXPECT_EQ(holder().exit_record().exit_code, 127);
  EXPECT_EQ(holder().exit_record().error, failed.message);
  EXPECT_EQ(holder().wait_for_end(), 0);
}

TEST_F(HolderTest, AProgramThatMayNotBeRunIs126) {
  holder().start(request(), {"/etc"});
  EXPECT_EQ(holder().expect<StartFailed>().exit_code, 126);
  EXPECT_EQ(holder().exit_record().exit_code, 126);
}

TEST_F(HolderTest, AnyOtherFailureIs128) {
  Start start = request();
  start.bundle += "/absent";
  holder().start(start, {"/bin/cat"});
  EXPECT_EQ(holder().expect<StartFailed>().exit_code, 128);
}

TEST_F(HolderTest, WithoutAnEngineItEndsBeforeTheStartAndLeavesNothing) {
  holder().hang_up();
  EXPECT_EQ(holder().wait_for_end(), 0);
  EXPECT_TRUE(std::filesystem::is_empty(holder().run_dir()));
  EXPECT_TRUE(std::filesystem::is_empty(holder().state_dir()));
}

TEST_F(HolderTest, TheLastWordOfAnEngineThatDiesIsCarriedOut) {
  const UniqueFd client = holder().attach(kOutput);
  holder().start_script(request(), "echo alive");
  holder().hang_up();
  EXPECT_EQ(RunningHolder::read_to_end(client), "alive\n");
  EXPECT_EQ(holder().wait_for_end(), 0);
  EXPECT_EQ(holder().exit_record().exit_code, 0);
  EXPECT_THAT(holder().logged(), ElementsAre("alive\n"));
}

TEST_F(HolderTest, ALaterEngineFindsTheWorkloadRunning) {
  Start start = request();
  start.open_stdin = true;
  const UniqueFd client = holder().attach(kEverything);
  holder().start(start, {"/bin/cat"});
  const Started started = holder().expect<Started>();
  holder().hang_up();
  ASSERT_EQ(::write(client.get(), "still here\n", 11), 11);
  EXPECT_EQ(RunningHolder::read_until(client, "\n"), "still here\n");

  holder().reconnect();
  const Hello hello = holder().expect<Hello>();
  EXPECT_TRUE(hello.running);
  EXPECT_EQ(hello.pid, started.pid);
  EXPECT_EQ(hello.started_at, started.started_at);
  EXPECT_EQ(hello.clients, 1);
  EXPECT_TRUE(holder().reply_to(Signal{.number = SIGKILL}).ok);
  EXPECT_EQ(holder().expect<Exited>().exit_code, 137);
  EXPECT_THAT(holder().logged(), ElementsAre("still here\n"));
}

TEST_F(HolderTest, RequestsOutOfTurnAreAnsweredAndSurvived) {
  EXPECT_EQ(holder().reply_to(Signal{.number = SIGTERM}).kind, ErrorKind::kConflict);
  EXPECT_EQ(holder().reply_to(CloseStdin{}).kind, ErrorKind::kConflict);
  EXPECT_EQ(holder().reply_to(Attach{}).kind, ErrorKind::kInvalid);
  holder().start(request(), {"/bin/sleep", "1000"});
  holder().expect<Started>();
  EXPECT_EQ(holder().reply_to(Resize{.rows = 1, .columns = 1}).kind, ErrorKind::kInvalid);
  EXPECT_EQ(holder().reply_to(request()).kind, ErrorKind::kConflict);
  EXPECT_FALSE(holder().reply_to(Signal{.number = 4711}).ok);
}

TEST_F(HolderTest, AnOutOfMemoryKillIsOnRecord) {
  holder().start(request(), {"/bin/tail", "/dev/zero"}, 16 << 20);
  holder().expect<Started>();
  const Exited exited = holder().expect<Exited>();
  EXPECT_EQ(exited.exit_code, 137);
  EXPECT_TRUE(exited.oom_killed);
  EXPECT_TRUE(holder().exit_record().oom_killed);
}

TEST_F(HolderTest, AFullDiskLosesLogRecordsAndNothingElse) {
  const std::string small = holder().state_dir() + "/small";
  std::filesystem::create_directory(small);
  ASSERT_EQ(::mount("tmpfs", small.c_str(), "tmpfs", 0, "size=64k"), 0);
  // Detached: the holder has its log open until it ends, a moment after it says how the workload
  // did.
  ScopeExit unmount([&] { EXPECT_EQ(::umount2(small.c_str(), MNT_DETACH), 0); });
  Start start = request();
  start.log_path = small + "/json.log";
  const UniqueFd client = holder().attach(kOutput);
  holder().start_script(start, "yes | head -n 5000; exit 4");
  EXPECT_EQ(RunningHolder::read_to_end(client).size(), 10000);
  holder().expect<Started>();
  const Exited exited = holder().expect<Exited>();
  EXPECT_EQ(exited.exit_code, 4);
  EXPECT_GT(exited.dropped_log_records, 0);
  const auto log = sys::read_file(start.log_path);
  EXPECT_TRUE(log.ok() && log->ends_with("}\n"));
}

TEST_F(HolderTest, AStreamOfOutputDoesNotGrowMemory) {
  Start start = request();
  start.log_path = "";
  const UniqueFd client = holder().attach(kOutput);
  holder().start_script(start, "dd if=/dev/zero bs=64k count=4096 2>/dev/null; sleep 1000");
  holder().expect<Started>();
  std::size_t received = 0;
  while (received < (256U << 20)) {
    std::string chunk(1U << 20, '\0');
    const ssize_t n = ::read(client.get(), chunk.data(), chunk.size());
    ASSERT_GT(n, 0);
    received += static_cast<std::size_t>(n);
  }
  const auto status = sys::read_file(fmt::format("/proc/{}/status", holder().pid()));
  ASSERT_TRUE(status.ok());
  const std::size_t at = status->find("RssAnon:");
  ASSERT_NE(at, std::string::npos);
  EXPECT_LT(std::stoul(status->substr(at + 8)), 1024U) << "KiB";
}

TEST_F(HolderTest, ItIsRecognisable) {
  const auto comm = sys::read_file(fmt::format("/proc/{}/comm", holder().pid()));
  ASSERT_TRUE(comm.ok());
  EXPECT_EQ(*comm, "berth-holder\n");
  const auto command = sys::read_file(fmt::format("/proc/{}/cmdline", holder().pid()));
  ASSERT_TRUE(command.ok());
  EXPECT_THAT(*command, HasSubstr(request().id));
}

}  // namespace
}  // namespace berth::holder
