#include "berth/verb/exit_status.h"

#include <poll.h>

#include <array>
#include <thread>

#include "base/json.h"

namespace berth::cli {
namespace {

constexpr std::chrono::milliseconds kRetryInterval{100};

Target wait_target(const std::string& workload, std::string_view condition) {
  Target target("/containers");
  target.segment(workload).then("/wait").maybe("condition", condition);
  return target;
}

Result<int> status_of(const std::string& body) {
  const Json answer = TRY(parse_json(body).context("the engine's answer to wait"));
  if (const Json* error = find_member(answer, "Error"))
    if (const std::string message = TRY(get_string(*error, "Message")); !message.empty())
      return fail(ErrorKind::kInternal, "{}", message);
  return static_cast<int>(TRY(get_int(answer, "StatusCode")));
}

}  // namespace

Result<ExitStatus> ExitStatus::request(const Client& client, std::string workload,
                                       std::string_view condition,
                                       std::chrono::milliseconds patience) {
  HttpConnection connection = TRY(client.open());
  TRY(client.send(connection, "POST", wait_target(workload, condition)));
  return ExitStatus(client, std::move(workload), std::move(connection), patience);
}

Result<void> ExitStatus::confirm() {
  TRY(Client::receive_head(connection_));
  return {};
}

Result<std::string> ExitStatus::read() {
  constexpr std::size_t kMaxStatusBytes = 64U << 10;
  std::string body;
  std::array<char, 1024> piece;
  for (;;) {
    const std::size_t got = TRY(connection_.read_body(piece));
    if (got == 0) return body;
    body.append(piece.data(), got);
    if (body.size() > kMaxStatusBytes)
      return fail(ErrorKind::kCorrupt, "the engine's answer to wait has no end");
  }
}

Result<int> ExitStatus::await() {
  for (;;) {
    auto body = read();
    if (body.ok()) return status_of(*body);
    // Only a lost connection is worth another try; an engine that answers has its reasons.
    if (body.error().kind() != ErrorKind::kInternal || !ask_again()) return std::move(body).error();
  }
}

// Asks the engine that comes back; false if none does in time, or it knows no such workload: the
// exit code is lost with the old one's answer.
bool ExitStatus::ask_again() {
  const auto deadline = std::chrono::steady_clock::now() + patience_;
  do {
    std::this_thread::sleep_for(kRetryInterval);
    auto again = request(*client_, workload_, "", patience_);
    if (!again.ok()) continue;
    connection_ = std::move(again->connection_);
    const auto confirmed = confirm();
    if (confirmed.ok()) return true;
    if (confirmed.error().kind() != ErrorKind::kInternal) return false;
  } while (std::chrono::steady_clock::now() < deadline);
  return false;
}

bool ExitStatus::await_for(std::chrono::milliseconds limit) {
  if (connection_.has_received()) return true;
  pollfd ready{connection_.fd(), POLLIN, 0};
  return ::poll(&ready, 1, static_cast<int>(limit.count())) > 0;
}

}  // namespace berth::cli
