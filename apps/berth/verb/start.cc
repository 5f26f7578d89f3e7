#include <cstdio>

#include "berth/command/session.h"
#include "berth/verb/foreground.h"
#include "berth/verb/verbs.h"
#include "berth/verb/workload.h"

namespace berth::cli {
namespace {

struct StartOptions {
  bool attach = false;
  bool interactive = false;
  std::string detach_keys;
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"attach", 'a', into<&StartOptions::attach>(), "Attach STDOUT/STDERR and forward signals"},
    {"detach-keys", 0, into<&StartOptions::detach_keys>(),
     "Override the key sequence for detaching a container"},
    {"interactive", 'i', into<&StartOptions::interactive>(), "Attach container's STDIN"},
});

Result<int> start_attached(Client& client, const StartOptions& options, const std::string& name) {
  const Workload workload = TRY(inspect_workload(client, name));
  const bool input = options.interactive && workload.open_stdin;
  TRY(check_terminal(input, workload.tty));
  Foreground foreground = TRY(
      Foreground::open(client, {.workload = workload.id,
                                .streams = {.input = input, .output = true, .errors = true},
                                .tty = workload.tty,
                                .forward_signals = !workload.tty,
                                .detach_keys = options.detach_keys,
                                .wait_condition = workload.auto_remove ? "removed" : "next-exit"}));
  TRY(foreground.start(workload.auto_remove));
  return foreground.run();
}

Result<int> start(Session& session, const StartOptions& options, const Arguments& operands) {
  TRY(DetachKeys::parse(options.detach_keys));
  Client& client = *TRY(session.engine());
  if (options.attach || options.interactive) {
    if (operands.size() > 1)
      return fail(ErrorKind::kInvalid, "you cannot start and attach multiple containers at once");
    return start_attached(client, options, operands[0]);
  }
  std::vector<std::string> failed;
  const int code = for_each_operand(operands, [&](const std::string& name) -> Result<void> {
    Target target("/containers");
    auto started = client.call("POST", target.segment(name).then("/start"));
    if (!started.ok()) {
      failed.push_back(name);
      return std::move(started).error();
    }
    fmt::print("{}\n", name);
    return {};
  });
  if (!failed.empty())
    print_error(
        fail(ErrorKind::kInternal, "failed to start containers: {}", fmt::join(failed, ", ")));
  return code;
}

}  // namespace

constinit const Verb kStartVerb = {
    .name = "start",
    .usage = "[OPTIONS] CONTAINER [CONTAINER...]",
    .summary = "Start one or more stopped containers",
    .flags = kFlags,
    .operands = {.min = 1},
    .invoke = InvokeOf<start>::invoke,
};

}  // namespace berth::cli
