#include <array>

#include "berth/command/session.h"
#include "berth/verb/download.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

struct ExportOptions {
  std::string output;
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"output", 'o', into<&ExportOptions::output>(), "Write to a file, instead of STDOUT"},
});

Result<int> export_filesystem(Session& session, const ExportOptions& options,
                              const Arguments& operands) {
  Target target("/containers");
  target.segment(operands[0]).then("/export");
  TRY(download(*TRY(session.engine()), target, options.output));
  return 0;
}

}  // namespace

constinit const Verb kExportVerb = {
    .name = "export",
    .usage = "[OPTIONS] CONTAINER",
    .summary = "Export a container's filesystem as a tar archive",
    .flags = kFlags,
    .operands = {1, 1},
    .invoke = InvokeOf<export_filesystem>::invoke,
};

}  // namespace berth::cli
