// The verbs, one row each; the file of the same name has the row, its flags and the function.
#pragma once

#include "berth/command/verb.h"

namespace berth::cli {

extern const Verb kAttachVerb;
extern const Verb kCommitVerb;
extern const Verb kContainerPruneVerb;
extern const Verb kCreateVerb;
extern const Verb kDiffVerb;
extern const Verb kEventsVerb;
extern const Verb kExportVerb;
extern const Verb kHistoryVerb;
extern const Verb kImagePruneVerb;
extern const Verb kImagesVerb;
extern const Verb kImportVerb;
extern const Verb kInfoVerb;
extern const Verb kInspectVerb;
extern const Verb kInspectContainerVerb;
extern const Verb kInspectImageVerb;
extern const Verb kKillVerb;
extern const Verb kLoadVerb;
extern const Verb kLoginVerb;
extern const Verb kLogoutVerb;
extern const Verb kLogsVerb;
extern const Verb kManifestInspectVerb;
extern const Verb kPsVerb;
extern const Verb kPullVerb;
extern const Verb kPushVerb;
extern const Verb kRenameVerb;
extern const Verb kRmVerb;
extern const Verb kRmiVerb;
extern const Verb kRunVerb;
extern const Verb kSaveVerb;
extern const Verb kSearchVerb;
extern const Verb kStartVerb;
extern const Verb kStopVerb;
extern const Verb kSystemCheckVerb;
extern const Verb kSystemDfVerb;
extern const Verb kTagVerb;
extern const Verb kVersionVerb;
extern const Verb kWaitVerb;

}  // namespace berth::cli
