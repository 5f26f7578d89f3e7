#include "berth/command/session.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

Result<int> rename_workload(Session& session, const NoOptions&, const Arguments& operands) {
  Target target("/containers");
  target.segment(operands[0]).then("/rename").query("name", operands[1]);
  TRY((*TRY(session.engine())).call("POST", target));
  return 0;
}

}  // namespace

constinit const Verb kRenameVerb = {
    .name = "rename",
    .usage = "CONTAINER NEW_NAME",
    .summary = "Rename a container",
    .flags = {},
    .operands = {2, 2},
    .invoke = InvokeOf<rename_workload>::invoke,
};

}  // namespace berth::cli
