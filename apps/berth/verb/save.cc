#include <array>

#include "berth/command/session.h"
#include "berth/verb/download.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

struct SaveOptions {
  std::string output;
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"output", 'o', into<&SaveOptions::output>(), "Write to a file, instead of STDOUT"},
});

Result<int> save(Session& session, const SaveOptions& options, const Arguments& operands) {
  Target target("/images/get");
  for (const auto& name : operands) target.query("names", name);
  TRY(download(*TRY(session.engine()), target, options.output));
  return 0;
}

}  // namespace

constinit const Verb kSaveVerb = {
    .name = "save",
    .usage = "[OPTIONS] IMAGE [IMAGE...]",
    .summary = "Save one or more images to a tar archive (streamed to STDOUT by default)",
    .flags = kFlags,
    .operands = {1, SIZE_MAX},
    .invoke = InvokeOf<save>::invoke,
};

}  // namespace berth::cli
