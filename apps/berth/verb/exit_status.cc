#include "berth/verb/exit_status.h"

#include <poll.h>

#include <array>
#include <thread>

#include "base/json.h"

namespace berth::cli {
namespace {

// How long an engine may take to come back: its own restart takes under a second, a package upgrade
// some.
constexpr std::chrono::seconds kEngineAbsence{30};
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
                                       std::string_view condition) {
  HttpConnection connection = TRY(client.open());
  TRY(client.send(connection, "POST", wait_target(workload, condition)));
  return ExitStatus(client, std::move(workload), std::move(connection));
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
  const auto deadline = std::chrono::steady_clock::now() + kEngineAbsence;
  auto body = read();
  // Only a lost connection is worth another try; an engine that answers has its reasons.
  while (!body.ok() && body.error().kind() == ErrorKind::kInternal &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(kRetryInterval);
    auto again = request(*client_, workload_, "");
    if (!again.ok()) continue;
    connection_ = std::move(again->connection_);
    const auto confirmed = confirm();
    if (confirmed.ok()) {
      body = read();
    } else if (confirmed.error().kind() != ErrorKind::kInternal) {
      break;  // a new engine that knows no such workload: its exit code is lost with the old one's
              // answer
    }
  }
  return status_of(TRY(std::move(body)));
}

bool ExitStatus::await_for(std::chrono::milliseconds limit) {
  if (connection_.has_received()) return true;
  pollfd ready{connection_.fd(), POLLIN, 0};
  return ::poll(&ready, 1, static_cast<int>(limit.count())) > 0;
}

}  // namespace berth::cli
