#include <array>
#include <cstdio>

#include "berth/command/session.h"
#include "berth/create/option_flags.h"
#include "berth/verb/create_container.h"
#include "berth/verb/foreground.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

// What an engine says when the program itself could not be started, and the exit code that shells
// give it.
struct StartFailure {
  std::string_view text;
  int exit_code;
};
constexpr std::array<StartFailure, 4> kStartFailures = {{{"executable file not found", 127},
                                                         {"no such file or directory", 127},
                                                         {"permission denied", 126},
                                                         {"is a directory", 126}}};

int exit_code_of_start(const Error& error) {
  for (const StartFailure& row : kStartFailures)
    if (error.message().find(row.text) != std::string::npos) return row.exit_code;
  return kExitBerthFailed;
}

int report(const Error& error, int exit_code) {
  print_error(Error(error).context("berth"));
  return exit_code;
}

Result<int> run_detached(Client& client, const std::string& id) {
  fmt::print("{}\n", id);
  Target target("/containers");
  const auto started = client.call("POST", target.segment(id).then("/start"));
  return started.ok() ? 0 : report(started.error(), exit_code_of_start(started.error()));
}

Result<int> run_attached(Client& client, const CreateOptions& options, const std::string& id,
                         AttachedStreams streams) {
  Foreground foreground = TRY(
      Foreground::open(client, {.workload = id,
                                .streams = streams,
                                .tty = options.tty,
                                .forward_signals = options.sig_proxy,
                                .detach_keys = options.detach_keys,
                                .wait_condition = options.auto_remove ? "removed" : "next-exit"}));
  const auto started = foreground.start(options.auto_remove);
  if (!started.ok()) return report(started.error(), exit_code_of_start(started.error()));
  return foreground.run();
}

Result<int> create_and_run(Session& session, const CreateOptions& options,
                           const Arguments& operands) {
  const AttachedStreams streams = TRY(attached_streams(options));
  TRY(DetachKeys::parse(options.detach_keys));
  Client& client = *TRY(session.engine());
  CreateOptions creation = options;
  const std::string id = TRY(create_container(client, creation, operands));
  return streams.any() ? run_attached(client, options, id, streams) : run_detached(client, id);
}

Result<int> run(Session& session, const CreateOptions& options, const Arguments& operands) {
  const auto terminal = check_terminal(options.interactive && !options.detach, options.tty);
  if (!terminal.ok()) return terminal.error();
  auto code = create_and_run(session, options, operands);
  return code.ok() ? *code : report(code.error(), kExitBerthFailed);
}

}  // namespace

constinit const Verb kRunVerb = {
    .name = "run",
    .usage = "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    .summary = "Create and run a new container from an image",
    .flags = kRunFlags,
    .operands = {.min = 1},
    .invoke = InvokeOf<run>::invoke,
    .interspersed = false,
};

}  // namespace berth::cli
