#include <cstdio>

#include "base/json.h"
#include "berth/command/session.h"
#include "berth/format/printable.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

struct CheckOptions {
  bool quick = false;
  bool repair = false;
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"quick", 'q', into<&CheckOptions::quick>(), "Compare the sizes of layers, not their bytes"},
    {"repair", 'r', into<&CheckOptions::repair>(),
     "Take out what is damaged, so that pulling it again makes it whole"},
});

Result<int> system_check(Session& session, const CheckOptions& options, const Arguments&) {
  Target target("/system/check");
  if (options.quick) target.query("quick", "1");
  if (options.repair) target.query("repair", "1");
  const std::string body = TRY((*TRY(session.engine())).call("POST", target));
  const Json answer = TRY(parse_json(body, kMaxAnswerBytes).context("the engine's answer"));
  const Json* damages = find_member(answer, "Damages");
  if (damages == nullptr || !damages->is_array())
    return fail(ErrorKind::kInvalid, "the engine's answer has no Damages");
  std::size_t repaired = 0;
  for (const Json& damage : *damages) {
    const bool is_repaired = TRY(get_bool(damage, "Repaired"));
    repaired += is_repaired ? 1 : 0;
    fmt::print("{}: {}: {}{}\n", TRY(get_string(damage, "Kind")),
               printable(TRY(get_string(damage, "Subject"))),
               printable(TRY(get_string(damage, "Detail"))), is_repaired ? " (repaired)" : "");
  }
  fmt::print("{} images, {} layers and containers, {} blobs: ", TRY(get_int(answer, "Images")),
             TRY(get_int(answer, "Snapshots")), TRY(get_int(answer, "Blobs")));
  if (damages->empty()) {
    fmt::print("all is well\n");
  } else {
    fmt::print("{} found, {} repaired\n", damages->size(), repaired);
  }
  return repaired == damages->size() ? 0 : 1;
}

}  // namespace

constinit const Verb kSystemCheckVerb = {
    .name = "check",
    .usage = "[OPTIONS]",
    .summary = "Look for damage among the images, and repair it",
    .flags = kFlags,
    .operands = {0, 0},
    .invoke = InvokeOf<system_check>::invoke,
};

}  // namespace berth::cli
