#include "holder/streams.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>

#include "holder/log_reader.h"
#include "sys/socket.h"
#include "sys/temp_dir_testing.h"

namespace berth::holder {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

std::string frame(StreamKind stream, std::string_view payload) {
  const auto header = frame_header(stream, payload.size());
  return std::string(header.data(), header.size()) + std::string(payload);
}

const Attach kOutput{.stdout_stream = true, .stderr_stream = true};
const Attach kEverything{.stdin_stream = true, .stdout_stream = true, .stderr_stream = true};

class StreamsTest : public testing::Test {
 protected:
  void SetUp() override { ::signal(SIGPIPE, SIG_IGN); }

  void start(Streams::Options options) {
    auto log = LogWriter::open(log_path_);
    ASSERT_TRUE(log.ok());
    auto ends = streams_.prepare(options, std::move(*log));
    ASSERT_TRUE(ends.ok());
    ends_ = std::move(*ends);
    UniqueFd master;
    if (options.tty) {
      sys::Pty pty = *sys::open_pty();
      termios raw{};
      ::tcgetattr(pty.slave.get(), &raw);
      ::cfmakeraw(&raw);
      ::tcsetattr(pty.slave.get(), TCSANOW, &raw);
      slave_ = std::move(pty.slave);
      master = std::move(pty.master);
    }
    ASSERT_TRUE(streams_.begin(std::move(master)).ok());
  }
  UniqueFd attach(Attach request) {
    auto [ours, theirs] = *sys::stream_pair();
    EXPECT_TRUE(streams_.attach(std::move(theirs), std::move(request)).ok());
    return std::move(ours);
  }
  void turn() {
    while (*loop_.run_once(milliseconds(0))) {
    }
  }
  // A terminal passes on what it is given from a kernel thread of its own, a moment later.
  void turn_until_readable(const UniqueFd& fd) {
    for (int turns = 0; turns < 100 && !*sys::wait_readable(fd.get(), milliseconds(0)); ++turns)
      ASSERT_TRUE(*loop_.run_once(milliseconds(10'000)));
  }
  static void put(const UniqueFd& fd, std::string_view text) {
    ASSERT_EQ(::write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  // What is there now, and whether it has ended.
  static std::string get(const UniqueFd& fd, bool* ended = nullptr) {
    std::string all;
    std::array<char, 4096> buffer{};
    MUST(sys::set_nonblocking(fd.get(), true));  // a descriptor that is open
    for (;;) {
      const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
      if (ended != nullptr) *ended = n == 0;
      if (n <= 0) return all;
      all.append(buffer.data(), static_cast<std::size_t>(n));
    }
  }
  std::vector<std::string> logged() const {
    std::vector<std::string> texts;
    auto reader = LogReader::open(log_path_, {});
    for (;;) {
      const auto part = reader->read();
      if (!part.ok()) return texts;
      for (const LogRecord& record : part->records) texts.push_back(record.text);
      if (part->at_end) return texts;
    }
  }
  bool has_ended(const UniqueFd& fd) {
    bool ended = false;
    get(fd, &ended);
    return ended;
  }

  sys::TempDir directory_;
  std::string log_path_ = directory_.path() + "/json.log";
  sys::EventLoop loop_ = *sys::EventLoop::create();
  Streams streams_{loop_};
  Streams::WorkloadEnds ends_;
  UniqueFd slave_;
};

TEST_F(StreamsTest, OutputGoesToTheLogAndFramedToTheClient) {
  start({});
  const UniqueFd client = attach(kOutput);
  put(ends_.stdout_write, "out\n");
  turn();
  put(ends_.stderr_write, "err\n");
  turn();
  EXPECT_EQ(get(client), frame(StreamKind::kStdout, "out\n") + frame(StreamKind::kStderr, "err\n"));
  EXPECT_THAT(logged(), ElementsAre("out\n", "err\n"));
}

TEST_F(StreamsTest, AClientAttachedBeforeTheStartMissesNothing) {
  const UniqueFd client = attach(kOutput);
  start({});
  put(ends_.stdout_write, "first\n");
  turn();
  EXPECT_EQ(get(client), frame(StreamKind::kStdout, "first\n"));
}

TEST_F(StreamsTest, AClientGetsOnlyTheStreamsItWants) {
  start({});
  const UniqueFd client = attach({.stderr_stream = true});
  put(ends_.stdout_write, "out\n");
  put(ends_.stderr_write, "err\n");
  turn();
  EXPECT_EQ(get(client), frame(StreamKind::kStderr, "err\n"));
}

TEST_F(StreamsTest, InputReachesTheWorkloadAndItsEndToo) {
  start({.open_stdin = true, .stdin_once = true});
  const UniqueFd client = attach(kEverything);
  put(client, "hello");
  ::shutdown(client.get(), SHUT_WR);
  turn();
  bool ended = false;
  EXPECT_EQ(get(ends_.stdin_read, &ended), "hello");
  EXPECT_TRUE(ended);
  put(ends_.stdout_write, "still there\n");
  turn();
  EXPECT_EQ(get(client), frame(StreamKind::kStdout, "still there\n"));
}

TEST_F(StreamsTest, WithoutStdinOnceTheEndOfInputEndsTheAttachmentAlone) {
  start({.open_stdin = true});
  const UniqueFd client = attach(kEverything);
  put(client, "hello");
  ::shutdown(client.get(), SHUT_WR);
  turn();
  bool ended = false;
  EXPECT_EQ(get(ends_.stdin_read, &ended), "hello");
  EXPECT_FALSE(ended);
  EXPECT_TRUE(has_ended(client));
  EXPECT_FALSE(streams_.has_clients());
}

TEST_F(StreamsTest, InputOfAClientThatHungUpAtOnceStillArrives) {
  start({.open_stdin = true, .stdin_once = true});
  UniqueFd client = attach(kEverything);
  put(client, "hello");
  client.reset();
  put(ends_.stdout_write, "to nobody\n");
  turn();
  bool ended = false;
  EXPECT_EQ(get(ends_.stdin_read, &ended), "hello");
  EXPECT_TRUE(ended);
  EXPECT_FALSE(streams_.has_clients());
}

TEST_F(StreamsTest, WhatAClientHadSentAheadComesFirst) {
  Attach request = kEverything;
  request.early_input = "early ";
  const UniqueFd client = attach(request);
  put(client, "late");
  start({.open_stdin = true});
  turn();
  EXPECT_EQ(get(ends_.stdin_read), "early late");
}

TEST_F(StreamsTest, StdinCanBeClosedFromOutside) {
  start({.open_stdin = true});
  streams_.close_stdin();
  EXPECT_TRUE(has_ended(ends_.stdin_read));
}

TEST_F(StreamsTest, InputThatTheWorkloadDoesNotTakeWaitsWithTheClient) {
  start({.open_stdin = true});
  const UniqueFd client = attach(kEverything);
  MUST(sys::set_nonblocking(client.get(), true));  // a socket that is open
  const std::string chunk(4096, 'x');
  std::size_t sent = 0;
  for (int i = 0; i < 1000; ++i) {
    const ssize_t n = ::write(client.get(), chunk.data(), chunk.size());
    if (n > 0) sent += static_cast<std::size_t>(n);
    turn();
  }
  EXPECT_LT(sent, 1000 * chunk.size());  // far less has been taken than was offered
  std::size_t received = 0;
  while (received < sent) {
    received += get(ends_.stdin_read).size();
    turn();
  }
  EXPECT_EQ(received, sent);
}

TEST_F(StreamsTest, InputAfterTheWorkloadClosedItsSideIsThrownAway) {
  start({.open_stdin = true});
  const UniqueFd client = attach(kEverything);
  ends_.stdin_read.reset();
  for (int i = 0; i < 3; ++i) {
    put(client, "nobody reads this");
    turn();
  }
  put(ends_.stdout_write, "out\n");
  turn();
  EXPECT_EQ(get(client), frame(StreamKind::kStdout, "out\n"));
}

TEST_F(StreamsTest, ASlowClientHoldsTheWorkloadBackAndLosesNothing) {
  start({});
  const UniqueFd client = attach(kOutput);
  MUST(sys::set_nonblocking(ends_.stdout_write.get(), true));  // a pipe that is open
  const std::string line(1023, 'x');
  std::size_t written = 0;
  for (int refused = 0; refused < 10;) {
    const std::string text = line + "\n";
    const ssize_t n = ::write(ends_.stdout_write.get(), text.data(), text.size());
    refused = n > 0 ? 0 : refused + 1;
    if (n > 0) written += static_cast<std::size_t>(n);
    turn();
    ASSERT_LT(written, 16U << 20) << "never held back";
  }
  EXPECT_GE(written, kMaxClientBacklog);
  EXPECT_TRUE(streams_.has_backlog());
  std::size_t payload = 0;
  std::string stream;
  for (int idle = 0; idle < 3; ++idle) {
    const std::string got = get(client);
    if (!got.empty()) idle = 0;
    stream += got;
    turn();
  }
  for (std::size_t at = 0; at + kFrameHeaderSize <= stream.size();) {
    std::size_t length = 0;
    for (std::size_t i = 4; i < 8; ++i)
      length = length * 256 + static_cast<unsigned char>(stream[at + i]);
    payload += length;
    at += kFrameHeaderSize + length;
  }
  EXPECT_EQ(payload, written);
  EXPECT_FALSE(streams_.has_backlog());
}

TEST_F(StreamsTest, AClientThatIsGoneHoldsNothingBack) {
  start({});
  UniqueFd slow = attach(kOutput);
  MUST(sys::set_nonblocking(ends_.stdout_write.get(), true));  // a pipe that is open
  const std::string chunk(4096, 'x');
  for (int refused = 0; refused < 10;) {
    refused = ::write(ends_.stdout_write.get(), chunk.data(), chunk.size()) > 0 ? 0 : refused + 1;
    turn();
  }
  slow.reset();
  turn();
  EXPECT_FALSE(streams_.has_clients());
  EXPECT_GT(::write(ends_.stdout_write.get(), chunk.data(), chunk.size()), 0);
}

TEST_F(StreamsTest, AClientThatHangsUpIsForgottenAtOnce) {
  start({});
  UniqueFd client = attach(kOutput);
  client.reset();
  turn();
  EXPECT_EQ(streams_.client_count(), 0);
}

TEST_F(StreamsTest, DrainTakesWhatIsLeftThoughAClientIsSlow) {
  start({});
  const UniqueFd client = attach(kOutput);
  MUST(sys::set_nonblocking(ends_.stdout_write.get(), true));  // a pipe that is open
  const std::string line = std::string(1023, 'x') + "\n";
  std::size_t lines = 0;
  for (int refused = 0; refused < 10;) {
    const bool taken = ::write(ends_.stdout_write.get(), line.data(), line.size()) > 0;
    refused = taken ? 0 : refused + 1;
    lines += taken ? 1 : 0;
    turn();
  }
  put(ends_.stderr_write, "last words");
  // The write ends stay open, as they do when somebody outside has got hold of one.
  streams_.drain();
  EXPECT_EQ(logged().size(), lines + 1);
  EXPECT_EQ(logged().back(), "last words");
  streams_.finish_clients();
  bool ended = false;
  std::string last;
  while (!ended) {
    const std::string got = get(client, &ended);
    if (!got.empty()) last = got;
    turn();
  }
  EXPECT_THAT(last, testing::EndsWith(frame(StreamKind::kStderr, "last words")));
  EXPECT_FALSE(streams_.has_clients());
}

TEST_F(StreamsTest, AClientThatGivesInputIsWaitedForAtTheEnd) {
  start({.open_stdin = true});
  UniqueFd client = attach(kEverything);
  put(ends_.stdout_write, "bye\n");
  streams_.drain();
  streams_.finish_clients();
  put(client, "too late");
  turn();
  bool ended = false;
  EXPECT_EQ(get(client, &ended), frame(StreamKind::kStdout, "bye\n"));
  EXPECT_TRUE(ended);
  EXPECT_TRUE(streams_.has_clients());
  client.reset();
  turn();
  EXPECT_FALSE(streams_.has_clients());
}

TEST_F(StreamsTest, ATerminalIsRawBothWays) {
  start({.open_stdin = true, .tty = true});
  const UniqueFd client = attach(kEverything);
  put(client, "typed");
  turn();
  ASSERT_TRUE(*sys::wait_readable(slave_.get(), milliseconds(10'000)));
  EXPECT_EQ(get(slave_), "typed");
  put(slave_, "shown");
  turn_until_readable(client);
  EXPECT_EQ(get(client), "shown");
}

TEST_F(StreamsTest, TheDetachKeysLetGoOfATerminal) {
  start({.open_stdin = true, .tty = true});
  Attach request = kEverything;
  request.detach_keys = "ctrl-a,x";
  const UniqueFd client = attach(request);
  put(client, "ls\x01");
  turn();
  put(client, "x");
  turn();
  ASSERT_TRUE(*sys::wait_readable(slave_.get(), milliseconds(10'000)));
  EXPECT_EQ(get(slave_), "ls");
  EXPECT_TRUE(has_ended(client));
  const UniqueFd next = attach(kEverything);
  put(slave_, "shown");
  turn_until_readable(next);
  EXPECT_EQ(get(next), "shown");
}

TEST_F(StreamsTest, DetachKeysMeanNothingWithoutATerminal) {
  start({.open_stdin = true});
  const UniqueFd client = attach(kEverything);
  put(client, "\x10\x11");
  turn();
  EXPECT_EQ(get(ends_.stdin_read), "\x10\x11");
  EXPECT_FALSE(has_ended(client));
}

TEST_F(StreamsTest, OnlyATerminalHasASize) {
  start({.open_stdin = true, .tty = true});
  ASSERT_TRUE(streams_.resize({.rows = 10, .columns = 20}).ok());
  EXPECT_EQ(*sys::window_size(slave_.get()), (sys::WindowSize{.rows = 10, .columns = 20}));
  slave_.reset();
  ASSERT_TRUE(*loop_.run_once(milliseconds(10'000)));
  EXPECT_EQ(streams_.resize({.rows = 1, .columns = 1}).error().kind(), ErrorKind::kInvalid);
}

TEST_F(StreamsTest, ClientsHaveALimitAndDetachKeysAGrammar) {
  EXPECT_EQ(streams_.attach(std::move(sys::stream_pair()->first), {.detach_keys = "nonsense"})
                .error()
                .kind(),
            ErrorKind::kInvalid);
  std::list<UniqueFd> clients;
  for (std::size_t i = 0; i < kMaxClients; ++i) clients.push_back(attach(kOutput));
  EXPECT_EQ(streams_.attach(std::move(sys::stream_pair()->first), kOutput).error().kind(),
            ErrorKind::kExhausted);
}

}  // namespace
}  // namespace berth::holder
