// Hooks: programs that the spec wants run at points of the container's life, with its state as JSON
// on standard input. runtime-spec config.md "POSIX-platform Hooks", runtime.md "Lifecycle".
//
//   prestart, createRuntime   by the parent, once the namespaces are there, before pivot_root
//   createContainer           by the child in the container's namespaces, before pivot_root
//   startContainer            by the child in the container, before exec: programs of the image,
//                             so each is as confined as the workload will be
//   poststart, poststop       by the parent
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "container/isolate/child.h"
#include "container/isolate/execute.h"
#include "container/isolate/identity.h"
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
  Program program;  // startContainer: what `path` was found to be
};

struct HooksPlan {
  std::vector<std::unique_ptr<ChildHook>> create_container;
  std::vector<std::unique_ptr<ChildHook>> start_container;
  /// Hold the state, "creating" and "created"; the parent writes them when it knows the pid, the
  /// child gives them to its hooks. Invalid where there are no such hooks.
  UniqueFd create_state;
  UniqueFd start_state;
};

Result<HooksPlan> plan_hooks(const Hooks& hooks);

/// Runs them one after the other in the child; it waits for each.
bool enter_hooks(Child& child, const std::vector<std::unique_ptr<ChildHook>>& hooks, int state);
/// The same for those of startContainer. Each gets the workload's capabilities and filter.
bool enter_start_hooks(Child& child, const HooksPlan& plan, const IdentityPlan& identity,
                       const ExecutePlan& execute);

/// Runs them one after the other here. The text of an error names the hook, its phase, and what it
/// printed last.
Result<void> run_hooks(std::span<const Hook> hooks, std::string_view phase,
                       const std::string& state);

}  // namespace berth::container
