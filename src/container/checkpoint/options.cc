#include "container/checkpoint/options.h"

#include <fcntl.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <cstdlib>

#include "sys/file.h"

namespace berth::container {
namespace {

// Warnings, errors and debugging: what its log is for.
constexpr int kLogLevel = 4;
constexpr std::string_view kConfigAnnotation = "org.criu.config";
constexpr std::string_view kConfigFile = "/etc/criu/runc.conf";

struct ModeName {
  std::string_view name;
  CriuCgroupMode mode;
};
constexpr auto kModeNames = std::to_array<ModeName>({
    {"", CriuCgroupMode::kSoft},
    {"soft", CriuCgroupMode::kSoft},
    {"full", CriuCgroupMode::kFull},
    {"strict", CriuCgroupMode::kStrict},
    {"ignore", CriuCgroupMode::kIgnore},
});

}  // namespace

Result<CriuCgroupMode> parse_cgroup_mode(const std::string& word) {
  const auto row = std::ranges::find(kModeNames, word, &ModeName::name);
  if (row != kModeNames.end()) return row->mode;
  return fail(ErrorKind::kInvalid,
              "--manage-cgroups-mode must be soft, full, strict or ignore, not '{}'", word);
}

Result<CriuPageServer> parse_page_server(const std::string& text) {
  const auto invalid = [&] {
    return fail(ErrorKind::kInvalid, "--page-server must be ADDRESS:PORT, not '{}'", text);
  };
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return invalid();
  CriuPageServer server{.address = text.substr(0, colon), .port = 0};
  if (server.address.starts_with('[') && server.address.ends_with(']'))
    server.address = server.address.substr(1, server.address.size() - 2);
  else if (server.address.find(':') != std::string::npos)
    return invalid();
  std::uint16_t port = 0;
  const auto [end, error] =
      std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0 ||
      server.address.empty())
    return invalid();
  server.port = port;
  return server;
}

Result<void> need_own_mounts(const Spec& spec) {
  const Namespace* mounts = find_namespace(spec, NamespaceType::kMount);
  if (mounts && mounts->path.empty()) return {};
  return fail(ErrorKind::kUnsupported,
              "criu cannot tell the container's mounts from others: it has no mount namespace of "
              "its own");
}

Result<std::string> real_path(const std::string& path) {
  char resolved[PATH_MAX];
  if (!::realpath(path.c_str(), resolved)) return fail_errno("cannot find {}", path);
  return std::string(resolved);
}

Result<PreparedOptions> prepare_options(const CriuCommon& common, const Spec& spec,
                                        const std::string& log_file, const std::string& root) {
  const auto open_directory = [&](const std::string& path) -> Result<UniqueFd> {
    return sys::open_file(root + TRY(real_path(path)), O_RDONLY | O_DIRECTORY);
  };
  PreparedOptions prepared;
  prepared.images = TRY(open_directory(common.image_path));
  if (!common.work_path.empty()) prepared.work = TRY(open_directory(common.work_path));
  CriuOptions& options = prepared.options;
  options.images_fd = prepared.images.get();
  options.work_fd = prepared.work.get();
  options.log_level = kLogLevel;
  options.log_file = log_file;
  const auto config = spec.annotations.find(std::string(kConfigAnnotation));
  options.config_file = config == spec.annotations.end() ? kConfigFile : config->second;
  options.tcp_established = common.tcp_established;
  options.external_unix_sockets = common.external_unix_sockets;
  options.shell_job = common.shell_job;
  options.file_locks = common.file_locks;
  options.auto_dedup = common.auto_dedup;
  options.lazy_pages = common.lazy_pages;
  options.manage_cgroups = true;
  options.cgroup_mode = common.cgroup_mode;
  options.notify_scripts = true;
  options.orphan_pts_master = true;
  // The network is made by whoever makes the container's namespace, again for the restore.
  options.empty_namespaces = CLONE_NEWNET;
  return prepared;
}

}  // namespace berth::container
