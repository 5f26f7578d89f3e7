#include <cstdio>

#include "berth/command/session.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

struct KillOptions {
  std::string signal;
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"signal", 's', into<&KillOptions::signal>(), "Signal to send to the container"},
});

Result<int> kill_workloads(Session& session, const KillOptions& options,
                           const Arguments& operands) {
  Client& client = *TRY(session.engine());
  return for_each_operand(operands, [&](const std::string& name) -> Result<void> {
    Target target("/containers");
    TRY(client.call("POST", target.segment(name).then("/kill").maybe("signal", options.signal)));
    fmt::print("{}\n", name);
    return {};
  });
}

}  // namespace

constinit const Verb kKillVerb = {
    .name = "kill",
    .usage = "[OPTIONS] CONTAINER [CONTAINER...]",
    .summary = "Kill one or more running containers",
    .flags = kFlags,
    .operands = {.min = 1},
    .invoke = InvokeOf<kill_workloads>::invoke,
};

}  // namespace berth::cli
