#include "berth/verb/exit_status.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <functional>
#include <thread>
#include <vector>

namespace berth::cli {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kWaiting = "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n";
constexpr std::string_view kSeven = "11\r\n{\"StatusCode\": 7}\r\n0\r\n\r\n";
constexpr std::string_view kUnknown =
    "HTTP/1.1 404 X\r\nContent-Length: 21\r\n\r\n{\"message\":\"no such\"}";

// An engine that answers its clients one after the other, each with what it is given, hangs up on
// each, and is gone after the last.
class ShortLivedEngine {
 public:
  explicit ShortLivedEngine(std::vector<std::string> answers)
      : path_(::testing::TempDir() + "exit-status-" + std::to_string(::getpid())) {
    ::unlink(path_.c_str());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
    listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::listen(listener_.get(), 4), 0);
    thread_ = std::thread([this, answers = std::move(answers)] {
      for (std::size_t i = 0; i < answers.size(); ++i) {
        const UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        std::string request;
        char byte = 0;
        while (!request.ends_with("\r\n\r\n") && ::recv(client.get(), &byte, 1, 0) == 1)
          request += byte;
        // Before the last one is hung up on, so that it finds nobody when it comes again.
        if (i + 1 == answers.size()) ::shutdown(listener_.get(), SHUT_RDWR);
        ::send(client.get(), answers[i].data(), answers[i].size(), MSG_NOSIGNAL);
      }
    });
  }
  ~ShortLivedEngine() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
    ::unlink(path_.c_str());
  }

  Client client() const { return Client(*parse_endpoint("unix://" + path_)); }

 private:
  std::string path_;
  UniqueFd listener_;
  std::thread thread_;
};

std::string operator+(std::string_view head, std::string_view body) {
  return std::string(head) + std::string(body);
}

Result<int> awaited(const ShortLivedEngine& engine, milliseconds patience) {
  const Client client = engine.client();
  auto status = TRY(ExitStatus::request(client, "w", "", patience));
  TRY(status.confirm());
  return status.await();
}

TEST(ExitStatus, IsWhatTheEngineSays) {
  const ShortLivedEngine engine({kWaiting + kSeven});
  EXPECT_EQ(awaited(engine, milliseconds(0)).value_or(-1), 7);
}

// The time before the loss does not count: with no patience at all there is still one try for each
// engine that went.
TEST(ExitStatus, PatienceBeginsWhenTheEngineIsLostAndAnewWithEachLoss) {
  const ShortLivedEngine engine(
      {std::string(kWaiting), std::string(kWaiting), std::string(kWaiting), kWaiting + kSeven});
  EXPECT_EQ(awaited(engine, milliseconds(0)).value_or(-1), 7);
}

TEST(ExitStatus, PatienceEnds) {
  const ShortLivedEngine engine({std::string(kWaiting)});
  EXPECT_FALSE(awaited(engine, milliseconds(1)).ok());
}

TEST(ExitStatus, AnEngineThatKnowsNoSuchWorkloadIsNotAskedAgain) {
  const ShortLivedEngine engine({std::string(kWaiting), std::string(kUnknown)});
  EXPECT_FALSE(awaited(engine, ExitStatus::kPatience).ok());
}

}  // namespace
}  // namespace berth::cli
