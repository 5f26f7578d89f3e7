// ExitStatus: a wait for the end of a workload, under way on a connection of its own while others
// do their work. If the engine goes away meanwhile, the workload lives on: the wait is asked again
// of the engine that comes back.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"
#include "berth/client/client.h"

namespace berth::cli {

class ExitStatus {
 public:
  /// Sends the request; `condition` is "next-exit", "removed" or empty (not running). `client` must
  /// stay alive.
  static Result<ExitStatus> request(const Client& client, std::string workload,
                                    std::string_view condition);

  /// Waits until the engine says that it is waiting: only then may the workload be started.
  Result<void> confirm();

  /// Waits for the end. An error if the engine cannot tell any more, or stays away.
  Result<int> await();

  /// Whether await() has something to read already.
  bool has_received() const { return connection_.has_received(); }
  /// Borrowed, for poll(2): readable once there is more.
  int fd() const { return connection_.fd(); }

  /// Waits for the end, but no longer than `limit`; true if it came.
  bool await_for(std::chrono::milliseconds limit);

 private:
  ExitStatus(const Client& client, std::string workload, HttpConnection connection)
      : client_(&client), workload_(std::move(workload)), connection_(std::move(connection)) {}

  Result<std::string> read();

  const Client* client_;
  std::string workload_;
  HttpConnection connection_;
};

}  // namespace berth::cli
