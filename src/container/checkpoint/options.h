// What the caller of a checkpoint or a restore chooses, in the words of the verbs' flags, and how
// that becomes criu's options.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "container/checkpoint/criu_messages.h"
#include "container/spec/spec.h"

namespace berth::container {

struct CriuCommon {
  std::string image_path;  // absolute, as the next
  std::string work_path;   // for criu's log; empty: the images' directory
  bool tcp_established = false;
  bool external_unix_sockets = false;
  bool shell_job = false;
  bool file_locks = false;
  bool auto_dedup = false;
  bool lazy_pages = false;
  CriuCgroupMode cgroup_mode = CriuCgroupMode::kSoft;

  /// Where criu's log of that name is.
  std::string log_path(const std::string& name) const {
    return (work_path.empty() ? image_path : work_path) + "/" + name;
  }
};

/// "soft", "full", "strict", "ignore"; empty: soft. kInvalid: another word.
Result<CriuCgroupMode> parse_cgroup_mode(const std::string& word);
/// "ADDRESS:PORT", "[ADDRESS]:PORT". kInvalid: neither.
Result<CriuPageServer> parse_page_server(const std::string& text);

/// criu's options and the descriptors that they name, which have to be open while criu runs.
struct PreparedOptions {
  CriuOptions options;
  UniqueFd images;
  UniqueFd work;  // invalid: none
};

/// What both verbs tell criu; the directories are there. Of the spec's annotations
/// "org.criu.config" names a configuration file of criu's instead of runc's; empty: none. `root`:
/// "/proc/<pid>/root" of the criu, if it has a mount namespace of its own, for it mounts in its
/// working directory, which has to be in that one; empty: it has not.
Result<PreparedOptions> prepare_options(const CriuCommon& common, const Spec& spec,
                                        const std::string& log_file, const std::string& root = {});

/// kUnsupported: the container has no mount namespace of its own, so that criu would take the
/// mounts of the host, or of another container, for its own.
Result<void> need_own_mounts(const Spec& spec);

/// The path without symbolic links.
Result<std::string> real_path(const std::string& path);

}  // namespace berth::container
