#include "berth/command/verb_table.h"

#include <array>

#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

constexpr std::array<Group, 4> kGroups = {{{"container", "Manage containers"},
                                           {"image", "Manage images"},
                                           {"manifest", "Look at manifests of registries"},
                                           {"system", "Manage the engine"}}};

constexpr auto kSpellings = std::to_array<Spelling>({
    {"", "attach", &kAttachVerb},
    {"", "commit", &kCommitVerb},
    {"", "create", &kCreateVerb},
    {"", "diff", &kDiffVerb},
    {"", "events", &kEventsVerb},
    {"", "export", &kExportVerb},
    {"", "history", &kHistoryVerb},
    {"", "images", &kImagesVerb},
    {"", "import", &kImportVerb},
    {"", "info", &kInfoVerb},
    {"", "inspect", &kInspectVerb},
    {"", "kill", &kKillVerb},
    {"", "load", &kLoadVerb},
    {"", "login", &kLoginVerb},
    {"", "logout", &kLogoutVerb},
    {"", "logs", &kLogsVerb},
    {"", "ps", &kPsVerb},
    {"", "pull", &kPullVerb},
    {"", "push", &kPushVerb},
    {"", "rename", &kRenameVerb},
    {"", "rm", &kRmVerb},
    {"", "rmi", &kRmiVerb},
    {"", "run", &kRunVerb},
    {"", "save", &kSaveVerb},
    {"", "search", &kSearchVerb},
    {"", "start", &kStartVerb},
    {"", "stop", &kStopVerb},
    {"", "tag", &kTagVerb},
    {"", "version", &kVersionVerb},
    {"", "wait", &kWaitVerb},
    {"container", "attach", &kAttachVerb},
    {"container", "commit", &kCommitVerb},
    {"container", "create", &kCreateVerb},
    {"container", "diff", &kDiffVerb},
    {"container", "export", &kExportVerb},
    {"container", "inspect", &kInspectContainerVerb},
    {"container", "kill", &kKillVerb},
    {"container", "logs", &kLogsVerb},
    {"container", "ls", &kPsVerb},
    {"container", "list", &kPsVerb, false},
    {"container", "ps", &kPsVerb, false},
    {"container", "prune", &kContainerPruneVerb},
    {"container", "rename", &kRenameVerb},
    {"container", "rm", &kRmVerb},
    {"container", "remove", &kRmVerb, false},
    {"container", "run", &kRunVerb},
    {"container", "start", &kStartVerb},
    {"container", "stop", &kStopVerb},
    {"container", "wait", &kWaitVerb},
    {"image", "history", &kHistoryVerb},
    {"image", "import", &kImportVerb},
    {"image", "inspect", &kInspectImageVerb},
    {"image", "load", &kLoadVerb},
    {"image", "ls", &kImagesVerb},
    {"image", "list", &kImagesVerb, false},
    {"image", "prune", &kImagePruneVerb},
    {"image", "pull", &kPullVerb},
    {"image", "push", &kPushVerb},
    {"image", "rm", &kRmiVerb},
    {"image", "remove", &kRmiVerb, false},
    {"image", "save", &kSaveVerb},
    {"image", "tag", &kTagVerb},
    {"manifest", "inspect", &kManifestInspectVerb},
    {"system", "check", &kSystemCheckVerb},
    {"system", "df", &kSystemDfVerb},
    {"system", "events", &kEventsVerb},
    {"system", "info", &kInfoVerb},
});

}  // namespace

std::span<const Spelling> spellings() {
  return kSpellings;
}

std::span<const Group> groups() {
  return kGroups;
}

const Spelling* find_spelling(std::string_view group, std::string_view name) {
  for (const Spelling& spelling : kSpellings)
    if (spelling.group == group && spelling.name == name) return &spelling;
  return nullptr;
}

const Group* find_group(std::string_view name) {
  for (const Group& group : kGroups)
    if (group.name == name) return &group;
  return nullptr;
}

std::vector<std::string> all_spellings(const Verb& verb) {
  std::vector<std::string> all;
  for (const Spelling& spelling : kSpellings)
    if (spelling.verb == &verb)
      all.push_back(fmt::format("berth {}{}{}", spelling.group, spelling.group.empty() ? "" : " ",
                                spelling.name));
  return all;
}

}  // namespace berth::cli
