#include "container/isolate/hooks.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sys/process.h"

namespace berth::container {
namespace {

std::unique_ptr<ChildHook> prepare(const Hook& hook) {
  auto prepared = std::make_unique<ChildHook>();
  prepared->path = hook.path;
  prepared->args = hook.args.empty() ? std::vector<std::string>{hook.path} : hook.args;
  prepared->env = hook.env;
  for (auto& arg : prepared->args) prepared->argv.push_back(arg.data());
  for (auto& variable : prepared->env) prepared->envp.push_back(variable.data());
  prepared->argv.push_back(nullptr);
  prepared->envp.push_back(nullptr);
  // 32 bits of milliseconds are 24 days: what is longer waits for ever.
  constexpr std::uint32_t kMaxSeconds = 2'000'000;
  if (hook.timeout && *hook.timeout < kMaxSeconds)
    prepared->timeout_ms = static_cast<int>(*hook.timeout * 1000);
  return prepared;
}

Result<UniqueFd> state_file(const std::string& state) {
  UniqueFd file(::memfd_create("state", MFD_CLOEXEC));
  if (!file.valid()) return fail_errno("cannot make a file for the hooks' input");
  if (::pwrite(file.get(), state.data(), state.size(), 0) != static_cast<ssize_t>(state.size()))
    return fail_errno("cannot write the hooks' input");
  return file;
}

}  // namespace

Result<HooksPlan> plan_hooks(const Hooks& hooks) {
  HooksPlan plan;
  for (const Hook& hook : hooks.create_container) plan.create_container.push_back(prepare(hook));
  for (const Hook& hook : hooks.start_container) plan.start_container.push_back(prepare(hook));
  for (const auto& hook : plan.start_container) hook->program.prepare(hook->argv);
  if (!plan.create_container.empty()) plan.create_state = TRY(state_file({}));
  if (!plan.start_container.empty()) plan.start_state = TRY(state_file({}));
  return plan;
}

Result<void> run_hooks(std::span<const Hook> hooks, std::string_view phase,
                       const std::string& state) {
  for (const Hook& hook : hooks) {
    const UniqueFd input = TRY(state_file(state));
    // The code that runs hooks in the child runs them here: a failure is (step, index, errno).
    Child child;
    std::vector<std::unique_ptr<ChildHook>> one;
    one.push_back(prepare(hook));
    if (enter_hooks(child, one, input.get())) continue;
    if (child.failure.error == ETIMEDOUT)
      return fail(ErrorKind::kInternal, "{} hook {} took longer than {} s", phase, hook.path,
                  hook.timeout.value_or(0));
    if (child.failure.error < 0)
      return fail(ErrorKind::kInternal, "{} hook {} failed with status {}", phase, hook.path,
                  -child.failure.error);
    return Error::from_errno(child.failure.error,
                             fmt::format("cannot run the {} hook {}", phase, hook.path));
  }
  return {};
}

}  // namespace berth::container
