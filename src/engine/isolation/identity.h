// Identity: who a workload's process is, worked out from the image's own /etc/passwd and
// /etc/group. The texts are hostile: lines that do not parse are skipped, sizes are the reader's to
// cap.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace berth::engine {

struct Identity {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> additional_gids;
  std::string home = "/";
};

/// Docker's `user`: "", "name", "uid", each with ":group" or ":gid". A name must be in `passwd` or
/// `group`; a number need not. Without a group, the user's own, and the groups that list the user
/// become additional; `group_add` entries follow. kInvalid in Docker's words: "unable to find user
/// X: no matching entries in passwd file".
Result<Identity> resolve_identity(std::string_view user, const std::vector<std::string>& group_add,
                                  std::string_view passwd, std::string_view group);

}  // namespace berth::engine
