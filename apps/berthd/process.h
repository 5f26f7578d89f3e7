// What the daemon arranges for itself as a process: memory, signals, limits, and the word to its
// supervisor.
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace berth::daemon {

/// Before any thread starts.
void tune_memory();
/// Makes $HTTP_PROXY count, which libcurl knows in lower case alone: in a CGI program it would be
/// the client's, but this is none. Before there are threads.
void name_proxy();
/// Gives back what start-up needed and running does not.
void release_unused_memory();

/// Children are never waited for: holders are watched through their sockets. Nothing is set to
/// "ignore", which holders and workloads would inherit.
Result<void> arrange_signals();
/// Every client and every workload costs descriptors.
Result<void> raise_descriptor_limit();

/// Tells systemd that the daemon answers, if it is the supervisor: sd_notify(3), without the
/// library.
Result<void> notify_ready();

/// A file with this process's id, gone with the object.
class PidFile {
 public:
  static Result<PidFile> write(std::string path);
  PidFile(PidFile&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  PidFile& operator=(PidFile&&) = delete;
  ~PidFile();

 private:
  explicit PidFile(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace berth::daemon
