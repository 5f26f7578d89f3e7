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
  /// How long an engine that has gone may take to come back: its own restart takes under a second,
  /// a package upgrade some.
  static constexpr std::chrono::milliseconds kPatience{30'000};

  /// Sends the request; `condition` is "next-exit", "removed" or empty (not running). `client` must
  /// stay alive.
  static Result<ExitStatus> request(const Client& client, std::string workload,
                                    std::string_view condition,
                                    std::chrono::milliseconds patience = kPatience);

  /// Waits until the engine says that it is waiting: only then may the workload be started.
  Result<void> confirm();

  /// Waits for the end, however long that takes. An error if the engine cannot tell any more, or
  /// stays away for longer than `patience`, counted from the moment it was lost.
  Result<int> await();

  /// Whether await() has something to read already.
  bool has_received() const { return connection_.has_received(); }
  /// Borrowed, for poll(2): readable once there is more.
  int fd() const { return connection_.fd(); }

  /// Waits for the end, but no longer than `limit`; true if it came.
  bool await_for(std::chrono::milliseconds limit);

 private:
  ExitStatus(const Client& client, std::string workload, HttpConnection connection,
             std::chrono::milliseconds patience)
      : client_(&client),
        workload_(std::move(workload)),
        connection_(std::move(connection)),
        patience_(patience) {}

  Result<std::string> read();
  bool ask_again();

  const Client* client_;
  std::string workload_;
  HttpConnection connection_;
  std::chrono::milliseconds patience_;
};

}  // namespace berth::cli
