// Bundle: a root filesystem of Debian's busybox-static in a temporary directory, for tests that run
// real containers. What a container prints is collected through a pipe.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "container/runtime/container.h"
#include "container/spec/spec.h"
#include "sys/process.h"
#include "sys/temp_dir_testing.h"

namespace berth::container {

struct RunOutcome {
  std::string output;  // standard output and error together
  sys::ExitStatus status;
};

class Bundle {
 public:
  /// Aborts if it cannot be made.
  Bundle();

  const std::string& path() const { return directory_.path(); }
  std::string rootfs() const { return path() + "/rootfs"; }
  /// A path below the root filesystem, on the host.
  std::string in_root(const std::string& name) const { return rootfs() + "/" + name; }

  /// The default spec without a terminal, running `sh -c script` as root.
  static Spec shell(const std::string& script);
  CreateOptions options() const;

  /// Creates, starts, waits, destroys.
  Result<RunOutcome> run(const Spec& spec) const { return run(spec, options()); }
  Result<RunOutcome> run(const Spec& spec, CreateOptions options) const;
  /// The output of a script that has to succeed; else the error or the status as text.
  std::string sh(const std::string& script) const { return output_of(shell(script)); }
  std::string output_of(const Spec& spec) const;

 private:
  sys::TempDir directory_;
  std::string id_;
};

/// Why tests with containers cannot run here; empty: they can.
std::string reason_to_skip();

}  // namespace berth::container
