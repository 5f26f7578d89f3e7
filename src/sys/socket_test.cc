#include "sys/socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "sys/memfd.h"

namespace berth::sys {
namespace {

TEST(Socket, MessagesKeepTheirBordersAndDescriptors) {
  auto [a, b] = *seqpacket_pair();
  const UniqueFd file = *sealed_memfd("test", "content");
  const std::array fds = {file.get()};
  ASSERT_TRUE(send_message(a.get(), "one", fds).ok());
  ASSERT_TRUE(send_message(a.get(), "two").ok());
  auto first = *receive_message(b.get(), 100);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->bytes, "one");
  ASSERT_EQ(first->fds.size(), 1U);
  EXPECT_EQ(*read_memfd(first->fds[0].get(), 100), "content");
  EXPECT_NE(::fcntl(first->fds[0].get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_EQ((*receive_message(b.get(), 100))->bytes, "two");
}

TEST(Socket, TooLongAMessageIsRefusedAndTheNextOneArrives) {
  auto [a, b] = *seqpacket_pair();
  ASSERT_TRUE(send_message(a.get(), "far too long").ok());
  ASSERT_TRUE(send_message(a.get(), "short").ok());
  EXPECT_EQ(receive_message(b.get(), 5).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ((*receive_message(b.get(), 5))->bytes, "short");
}

TEST(Socket, ClosedPeerIsAnEmptyMessageAndSendingToItAnError) {
  auto [a, b] = *seqpacket_pair();
  a.reset();
  EXPECT_TRUE((*receive_message(b.get(), 5))->bytes.empty());
  EXPECT_FALSE(send_message(b.get(), "x").ok());
}

TEST(Socket, NonBlockingReceiveHasNothingYet) {
  auto [a, b] = *seqpacket_pair();
  ASSERT_TRUE(set_nonblocking(b.get(), true).ok());
  EXPECT_FALSE(*receive_message(b.get(), 5));
  EXPECT_FALSE(*wait_readable(b.get(), std::chrono::milliseconds(0)));
}

TEST(Socket, ListensAndConnectsAlsoAtALongPath) {
  std::string pattern = testing::TempDir() + "/socket-XXXXXX";
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  const std::string deep = pattern + "/" + std::string(120, 'd');
  std::filesystem::create_directories(deep);
  const std::string path = deep + "/s";
  EXPECT_EQ(connect_seqpacket(path).error().kind(), ErrorKind::kNotFound);
  {
    const UniqueFd listener = *listen_seqpacket(path);
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    const UniqueFd client = *connect_seqpacket(path);
    const auto accepted = *accept_connection(listener.get());
    ASSERT_TRUE(accepted);
    ASSERT_TRUE(send_message(client.get(), "hi").ok());
    EXPECT_EQ((*receive_message(accepted->get(), 5))->bytes, "hi");
  }
  EXPECT_EQ(connect_seqpacket(path).error().kind(), ErrorKind::kConflict);
  EXPECT_TRUE(listen_seqpacket(path).ok());
  std::filesystem::remove_all(pattern);
}

TEST(Memfd, IsSealedAndCapped) {
  const UniqueFd file = *sealed_memfd("test", "12345");
  EXPECT_LT(::pwrite(file.get(), "x", 1, 0), 0);
  EXPECT_EQ(read_memfd(file.get(), 4).error().kind(), ErrorKind::kExhausted);
}

TEST(StreamSocket, NeverWaits) {
  auto [a, b] = *stream_pair();
  std::array<char, 16> buffer{};
  EXPECT_FALSE(receive_some(b.get(), buffer)->has_value());
  EXPECT_EQ(*send_some(a.get(), std::array<std::string_view, 2>{"ab", "cd"}), 4);
  EXPECT_EQ(**receive_some(b.get(), buffer), 4);
  const std::string much(1U << 20U, 'x');
  std::size_t sent = 0;
  for (;;) {
    const auto n = send_some(a.get(), std::array<std::string_view, 1>{much});
    ASSERT_TRUE(n.ok());
    if (*n == 0) break;
    sent += *n;
  }
  EXPECT_GT(sent, 0);
  b.reset();
  EXPECT_FALSE(send_some(a.get(), std::array<std::string_view, 1>{much}).ok());
}

}  // namespace
}  // namespace berth::sys
