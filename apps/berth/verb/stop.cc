#include <cstdio>

#include "berth/command/session.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

struct StopOptions {
  std::string signal;
  std::optional<std::int64_t> timeout;
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"signal", 's', into<&StopOptions::signal>(), "Signal to send to the container"},
    {"timeout", 't', into<&StopOptions::timeout>(), "Seconds to wait before killing the container"},
    {"time", 0, into<&StopOptions::timeout>(), ""},
});

Result<int> stop(Session& session, const StopOptions& options, const Arguments& operands) {
  Client& client = *TRY(session.engine());
  return for_each_operand(operands, [&](const std::string& name) -> Result<void> {
    Target target("/containers");
    target.segment(name).then("/stop").maybe("signal", options.signal);
    if (options.timeout) target.query("t", std::to_string(*options.timeout));
    TRY(client.call("POST", target));
    fmt::print("{}\n", name);
    return {};
  });
}

}  // namespace

constinit const Verb kStopVerb = {
    .name = "stop",
    .usage = "[OPTIONS] CONTAINER [CONTAINER...]",
    .summary = "Stop one or more running containers",
    .flags = kFlags,
    .operands = {.min = 1},
    .invoke = InvokeOf<stop>::invoke,
};

}  // namespace berth::cli
