// Criu: a conversation with a criu(8) of the host that was started for it as `criu swrk`: requests
// and answers over a SOCK_SEQPACKET pair, one message each. https://criu.org/RPC.
//
//   this process                      criu
//   ------ clone3, exec ----------->  in the cgroups and the mount namespace that were made for it
//   version ----------------------->
//   <---------------------- version   refused if it is too old
//   feature check ----------------->  (if something is wanted that not every kernel has)
//   <---------------------- features
//   dump, pre-dump or restore ----->
//   <------ notify [+ descriptor] --  as often as criu comes to a point that it tells of
//   notify, success or not -------->
//   <--------------- the same verb    with what came of it
//   end of file ------------------->  ends
//
// criu's own end is noticed by its pidfd: what it has restored so far may hold the socket open.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "container/checkpoint/criu_messages.h"
#include "container/checkpoint/restore_root.h"

namespace berth::container {

/// The oldest that has all that is asked of it here: it freezes v2 cgroups (3.14), joins pid
/// namespaces, and tells when lazy pages are ready.
inline constexpr int kOldestCriu = 31500;
/// From which on a restore may have another label than the dump.
inline constexpr int kCriuWithLabels = 31600;

/// criu's first descriptors are its streams and the conversation.
inline constexpr int kCriuSocket = 3;
inline constexpr int kFirstPassed = 4;

struct CriuPlace {
  /// criu's streams, which a restored task may take over; -1: /dev/null to read, and what criu
  /// writes is kept for errors. Borrowed.
  int streams[3] = {-1, -1, -1};
  /// criu gets them as kFirstPassed and the numbers after it. Borrowed.
  std::vector<int> passed = {};
  int cgroup = -1;                    // v2: the directory to be born in. Borrowed
  std::vector<int> entrances = {};    // v1: CgroupManager::entrances(). Borrowed
  const RestoreRoot* root = nullptr;  // null: the host's mounts as they are
};

class Criu {
 public:
  /// Starts the criu that PATH has and asks its version. kNotFound: there is none; kUnsupported: it
  /// is older than kOldestCriu. The object ends it: by an end of file first, which makes criu undo
  /// what it has begun.
  static Result<Criu> start(const CriuPlace& place);
  Criu(Criu&&) = default;
  Criu& operator=(Criu&&) = delete;
  ~Criu();

  int version() const { return version_; }
  pid_t pid() const { return pid_; }

  /// kUnsupported: this criu or this kernel lacks one of them.
  Result<void> need(const CriuFeatures& wanted);

  /// Called for each notification; a descriptor that came along is in `fd`. An error makes criu
  /// give up, and is what run() returns.
  using Listener = std::function<Result<void>(const CriuResponse& notify, UniqueFd fd)>;

  /// Dumps or restores, and waits until criu has ended. kInternal: criu failed; the text has what
  /// its log, `log_path`, says of it.
  Result<void> run(CriuVerb verb, const CriuOptions& options, const std::string& log_path,
                   const Listener& listener);

 private:
  Criu(pid_t pid, UniqueFd pidfd, UniqueFd socket, UniqueFd output)
      : pid_(pid),
        pidfd_(std::move(pidfd)),
        socket_(std::move(socket)),
        output_(std::move(output)) {}

  Result<CriuResponse> ask(std::string_view request);
  Result<CriuResponse> receive(UniqueFd* passed);
  Result<CriuResponse> converse(CriuVerb verb, const Listener& listener, Result<void>& heard);
  Error has_ended();
  Result<void> finish(CriuVerb verb);

  pid_t pid_;
  UniqueFd pidfd_;  // invalid: it was waited for
  UniqueFd socket_;
  UniqueFd output_;  // what criu prints where it has no streams of others: a memfd
  int version_ = 0;
};

/// "3.17.1".
std::string criu_version_text(int version);

// The child's side.

struct CriuExec {
  std::string program;
  std::vector<int> fds;  // what become 0, 1, 2, ...
  std::vector<int> entrances;
  const RestoreRoot* root = nullptr;
};

/// Becomes criu, or sends its Failure to `report` and ends. Async-signal-safe.
[[noreturn]] void exec_criu(const CriuExec& exec, int report);

}  // namespace berth::container
