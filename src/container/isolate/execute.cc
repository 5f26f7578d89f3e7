#include "container/isolate/execute.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include <algorithm>
#include <ranges>
#include <string_view>
#include <unordered_set>

namespace berth::container {
namespace {

constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::vector<std::string> candidates_of(const std::string& program, std::string_view path) {
  if (program.find('/') != std::string::npos) return {program};
  std::vector<std::string> candidates;
  for (std::size_t at = 0; at <= path.size();) {
    const auto end = std::min(path.find(':', at), path.size());
    const std::string_view directory = path.substr(at, end - at);
    // An empty entry is the working directory.
    candidates.push_back(directory.empty() ? "./" + program
                                           : fmt::format("{}/{}", directory, program));
    at = end + 1;
  }
  return candidates;
}

// The last of several variables of one name counts, and has the place of the last: as runc has it,
// since programs differ in which one they take.
std::vector<std::string> without_duplicates(const std::vector<std::string>& variables) {
  std::unordered_set<std::string_view> seen;
  std::vector<std::string> kept;
  for (const std::string& variable : std::views::reverse(variables))
    if (seen.insert(std::string_view(variable).substr(0, variable.find('='))).second)
      kept.push_back(variable);
  std::ranges::reverse(kept);
  return kept;
}

}  // namespace

Result<void> plan_execute(const Spec& spec, ExecutePlan& plan) {
  plan.args = spec.process.args;
  plan.env = without_duplicates(spec.process.env);
  plan.cwd = spec.process.cwd;
  std::string_view path = kDefaultPath;
  plan.needs_home = true;
  for (const std::string& variable : plan.env) {
    if (variable.starts_with("PATH=")) path = std::string_view(variable).substr(5);
    if (variable.starts_with("HOME=") && variable.size() > 5) plan.needs_home = false;
  }
  plan.candidates = candidates_of(plan.args[0], path);
  if (spec.linux_.seccomp) {
    plan.has_seccomp = true;
    plan.seccomp = TRY(compile_seccomp(*spec.linux_.seccomp));
    plan.notify = TRY(plan_notify(*spec.linux_.seccomp, plan.seccomp));
    plan.may_execveat =
        run_filter(plan.seccomp.filter, AUDIT_ARCH_X86_64, SYS_execveat, {}) == SECCOMP_RET_ALLOW;
  }
  plan.own = TRY(own_file());
  for (auto& arg : plan.args) plan.argv.push_back(arg.data());
  plan.argv.push_back(nullptr);
  plan.program.prepare(plan.argv);
  for (auto& variable : plan.env)
    if (variable != "HOME=") plan.envp.push_back(variable.data());
  plan.envp.push_back(nullptr);
  plan.envp.push_back(nullptr);
  return {};
}

}  // namespace berth::container
