// What is said to criu and what it answers: the messages of its images/rpc.proto that a checkpoint
// and a restore need, as values. https://criu.org/RPC. Answers come from another program, which may
// be of any version: they are read as hostile bytes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace berth::container {

/// criu_req_type.
enum class CriuVerb : std::uint32_t {
  kDump = 1,
  kRestore = 2,
  kPreDump = 4,
  kNotify = 6,
  kFeatureCheck = 9,
  kVersion = 10,
};
std::string_view to_string(CriuVerb verb);

/// criu_cg_mode: what is done with the cgroups that criu finds.
enum class CriuCgroupMode : std::uint32_t { kIgnore = 0, kSoft = 3, kFull = 4, kStrict = 5 };

struct CriuPageServer {
  std::string address;
  std::int32_t port = 0;
};

/// Where the tasks that were in the root of a hierarchy go. The controller's name is empty for the
/// unified hierarchy.
struct CriuCgroupRoot {
  std::string controller;
  std::string path;
};

/// A descriptor of the criu process that stands for what has this key in the images.
struct CriuInheritedFd {
  std::string key;
  std::int32_t fd = -1;
};

/// A namespace that exists and that criu itself joins.
struct CriuJoinedNamespace {
  std::string name;  // "uts"
  std::string file;
};

/// criu_opts: what is empty, false or -1 is not sent.
struct CriuOptions {
  std::int32_t images_fd = -1;  // of this process: criu opens it by /proc/<pid>/fd
  std::int32_t work_fd = -1;    // the same
  std::int32_t pid = -1;
  std::int32_t log_level = -1;
  std::string log_file;  // without a directory: it is in the work directory, or with the images
  std::string root;
  std::string parent_images;  // relative to the images
  std::string freeze_cgroup;
  std::string config_file;
  std::string lsm_profile;
  std::string lsm_mount_context;
  bool leave_running = false;
  bool external_unix_sockets = false;
  bool tcp_established = false;
  bool tcp_skip_in_flight = false;
  bool evasive_devices = false;
  bool shell_job = false;
  bool file_locks = false;
  bool notify_scripts = false;
  bool track_memory = false;
  bool auto_dedup = false;
  bool link_remap = false;
  bool manage_cgroups = false;
  bool restore_sibling = false;
  bool lazy_pages = false;
  bool orphan_pts_master = false;
  std::optional<CriuCgroupMode> cgroup_mode = {};
  std::uint32_t empty_namespaces = 0;  // CLONE_NEW*
  std::optional<CriuPageServer> page_server = {};
  std::vector<std::string> external;  // "mnt[/data]:/data", "net[4026532000]:extRootNetNS"
  std::vector<CriuCgroupRoot> cgroup_roots;
  std::vector<CriuInheritedFd> inherited_fds;
  std::vector<CriuJoinedNamespace> joined_namespaces;
};

/// Asked for: a feature that is wanted. Answered: whether it is there.
struct CriuFeatures {
  bool memory_tracking = false;
  bool lazy_pages = false;
};

std::string encode(const CriuOptions& options);
/// `options` null: none. `keep_open`: another request follows; criu allows it for versions and
/// features.
std::string encode_request(CriuVerb verb, const CriuOptions* options, bool keep_open = false);
std::string encode_feature_check(const CriuFeatures& wanted);
std::string encode_notify_reply(bool success);

/// criu_resp.
struct CriuResponse {
  std::uint32_t type = 0;  // a CriuVerb, if it is one we know
  bool success = false;
  /// Of a kNotify.
  std::string script;
  pid_t pid = 0;  // of the root task, in a kNotify or the answer to a kRestore; 0: not told
  std::int32_t error = 0;  // an errno, or 0
  std::string message;
  CriuFeatures features;
  int version = 0;  // 31701 for 3.17.1; 0: not told
};

/// kCorrupt: these bytes are no such message.
Result<CriuResponse> decode_response(std::string_view bytes);

}  // namespace berth::container
