#include <cstdio>

#include "berth/command/session.h"
#include "berth/verb/exit_status.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

Result<int> wait_for(Session& session, const NoOptions&, const Arguments& operands) {
  const Client& client = *TRY(session.engine());
  return for_each_operand(operands, [&](const std::string& name) -> Result<void> {
    ExitStatus exit = TRY(ExitStatus::request(client, name, ""));
    TRY(exit.confirm());
    fmt::print("{}\n", TRY(exit.await()));
    // The next one may take its time.
    std::fflush(stdout);
    return {};
  });
}

}  // namespace

constinit const Verb kWaitVerb = {
    .name = "wait",
    .usage = "CONTAINER [CONTAINER...]",
    .summary = "Block until one or more containers stop, then print their exit codes",
    .flags = {},
    .operands = {.min = 1},
    .invoke = InvokeOf<wait_for>::invoke,
};

}  // namespace berth::cli
