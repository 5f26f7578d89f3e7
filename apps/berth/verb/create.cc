#include <cstdio>

#include "berth/command/session.h"
#include "berth/create/option_flags.h"
#include "berth/verb/create_container.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

Result<int> create(Session& session, const CreateOptions& options, const Arguments& operands) {
  auto id = create_container(*TRY(session.engine()), options, operands);
  if (!id.ok()) {
    fmt::print(stderr, "berth: {}\n", id.error().message());
    // What came from the engine is a failure as of any verb; what was wrong with the flags is 125.
    return id.error().message().starts_with("Error response") ? kExitFailure : kExitBerthFailed;
  }
  fmt::print("{}\n", *id);
  return 0;
}

}  // namespace

constinit const Verb kCreateVerb = {
    .name = "create",
    .usage = "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    .summary = "Create a new container",
    .flags = kCreateFlags,
    .operands = {.min = 1},
    .invoke = InvokeOf<create>::invoke,
    .interspersed = false,
};

}  // namespace berth::cli
