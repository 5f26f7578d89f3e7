// RunningHolder: the real berth-holder program with a rootfs of Debian's busybox-static, seen as an
// engine sees it. Everything it made is gone when the object is, the holder included.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "holder/client.h"
#include "holder/log_record.h"
#include "sys/temp_dir_testing.h"

namespace berth::holder {

/// Why these tests cannot run here; empty: they can.
std::string reason_to_skip();

class RunningHolder {
 public:
  /// Spawns a holder and takes its Hello. Aborts if that does not work.
  RunningHolder();
  ~RunningHolder();
  RunningHolder(const RunningHolder&) = delete;
  RunningHolder& operator=(const RunningHolder&) = delete;

  /// A Start for this holder, with a log and no input; change it at will.
  Start start_request() const;
  /// Sends `request` with a spec that runs `args`.
  void start(const Start& request, const std::vector<std::string>& args,
             std::int64_t memory_limit = 0);
  void start_script(const Start& request, const std::string& script) {
    start(request, {"/bin/sh", "-c", script});
  }
  /// Attaches, and returns the client's end.
  UniqueFd attach(const Attach& request);
  void send(const EngineMessage& message, std::uint64_t sequence = 0);

  /// The next message; it must be a T, or the test fails and a default one is returned.
  template <typename T>
  T expect();
  Reply reply_to(const EngineMessage& message);
  /// Reads what is sent to the client until the end; payloads of the frames in their order.
  static std::string read_to_end(const UniqueFd& client, bool framed = true);
  /// Reads until `wanted` has been sent.
  static std::string read_until(const UniqueFd& client, std::string_view wanted,
                                bool framed = true);

  /// As the engine's death: nobody holds the channel any more.
  void hang_up() { socket_.reset(); }
  void reconnect();
  /// Waits until the holder's process has ended; its exit status.
  int wait_for_end();

  pid_t pid() const { return pid_; }
  const std::string& run_dir() const { return run_dir_; }
  const std::string& state_dir() const { return state_dir_; }
  std::string log_path() const { return state_dir_ + "/json.log"; }
  std::vector<std::string> logged() const;
  Exited exit_record() const;

 private:
  HolderMessage next();

  sys::TempDir directory_;
  std::string id_;
  std::string run_dir_;
  std::string state_dir_;
  std::string bundle_;
  UniqueFd socket_;
  pid_t pid_ = 0;
  bool reaped_ = false;
};

}  // namespace berth::holder
