#include "berth/command/session.h"
#include "berth/verb/pull_image.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

Result<int> tag(Session& session, const NoOptions&, const Arguments& operands) {
  const ImageName name = split_reference(operands[1]);
  Target target("/images");
  target.segment(operands[0]).then("/tag").query("repo", name.repository).query("tag", name.tag);
  TRY((*TRY(session.engine())).call("POST", target));
  return 0;
}

}  // namespace

constinit const Verb kTagVerb = {
    .name = "tag",
    .usage = "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
    .summary = "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
    .flags = {},
    .operands = {2, 2},
    .invoke = InvokeOf<tag>::invoke,
};

}  // namespace berth::cli
