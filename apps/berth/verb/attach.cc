#include "berth/command/session.h"
#include "berth/verb/foreground.h"
#include "berth/verb/verbs.h"
#include "berth/verb/workload.h"

namespace berth::cli {
namespace {

struct AttachOptions {
  std::string detach_keys;
  bool no_stdin = false;
  bool sig_proxy = true;
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"detach-keys", 0, into<&AttachOptions::detach_keys>(),
     "Override the key sequence for detaching a container"},
    {"no-stdin", 0, into<&AttachOptions::no_stdin>(), "Do not attach STDIN"},
    {"sig-proxy", 0, into<&AttachOptions::sig_proxy>(), "Proxy all received signals to the process",
     "", "true"},
});

Result<int> attach(Session& session, const AttachOptions& options, const Arguments& operands) {
  Client& client = *TRY(session.engine());
  TRY(DetachKeys::parse(options.detach_keys));
  const Workload workload = TRY(inspect_workload(client, operands[0]));
  if (!workload.running)
    return fail(ErrorKind::kConflict, "cannot attach to a stopped container, start it first");
  if (workload.paused)
    return fail(ErrorKind::kConflict, "cannot attach to a paused container, unpause it first");
  if (workload.restarting)
    return fail(ErrorKind::kConflict,
                "cannot attach to a restarting container, wait until it is running");
  const bool input = !options.no_stdin && workload.open_stdin;
  TRY(check_terminal(input, workload.tty));
  Foreground foreground =
      TRY(Foreground::open(client, {.workload = workload.id,
                                    .streams = {.input = input, .output = true, .errors = true},
                                    .tty = workload.tty,
                                    .forward_signals = options.sig_proxy && !workload.tty,
                                    .detach_keys = options.detach_keys,
                                    // Removal is not waited for by those who only watch.
                                    .wait_condition = ""}));
  return foreground.run();
}

}  // namespace

constinit const Verb kAttachVerb = {
    .name = "attach",
    .usage = "[OPTIONS] CONTAINER",
    .summary = "Attach local standard input, output, and error streams to a running container",
    .flags = kFlags,
    .operands = {1, 1},
    .invoke = InvokeOf<attach>::invoke,
};

}  // namespace berth::cli
