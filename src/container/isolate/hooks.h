// Hooks: programs that the spec wants run at points of the container's life, with its state as JSON
// on standard input. runtime-spec config.md "POSIX-platform Hooks", runtime.md "Lifecycle".
//
//   prestart, createRuntime   by the parent, once the namespaces are there, before pivot_root
//   createContainer           by the child in the container's namespaces, before pivot_root
//   startContainer            by the child in the container, before exec
//   poststart, poststop       by the parent
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "container/isolate/child.h"
#include "container/spec/spec.h"

namespace berth::container {

/// A hook ready for the child to run.
struct ChildHook {
  std::string path;
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::vector<char*> argv;  // into args and env, null-terminated
  std::vector<char*> envp;
  int timeout_ms = -1;
};

struct HooksPlan {
  std::vector<std::unique_ptr<ChildHook>> create_container;
  std::vector<std::unique_ptr<ChildHook>> start_container;
  /// Holds the state; the parent writes it when it knows the pid, the child gives it to its hooks.
  UniqueFd state;
};

Result<HooksPlan> plan_hooks(const Hooks& hooks);

/// Runs them one after the other in the child; it waits for each.
bool enter_hooks(Child& child, const std::vector<std::unique_ptr<ChildHook>>& hooks, int state);

/// Runs them one after the other here. The text of an error names the hook, its phase, and what it
/// printed last.
Result<void> run_hooks(std::span<const Hook> hooks, std::string_view phase,
                       const std::string& state);

}  // namespace berth::container
