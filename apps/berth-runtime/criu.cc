#include "berth-runtime/criu.h"

#include <unistd.h>

#include <climits>

namespace berth::runtime {
namespace {

constexpr std::string_view kDefaultImages = "checkpoint";

Result<std::string> absolute(const std::string& path) {
  if (path.starts_with('/')) return path;
  char directory[PATH_MAX];
  if (!::getcwd(directory, sizeof directory))
    return fail_errno("cannot find the working directory");
  return fmt::format("{}/{}", directory, path);
}

}  // namespace

void add_criu_flags(Flags& flags, CriuFlags& values) {
  flags.add("image-path", 0, &values.image_path);
  flags.add("work-path", 0, &values.work_path);
  flags.add("tcp-established", 0, &values.tcp_established);
  flags.add("ext-unix-sk", 0, &values.external_unix_sockets);
  flags.add("shell-job", 0, &values.shell_job);
  flags.add("file-locks", 0, &values.file_locks);
  flags.add("manage-cgroups-mode", 0, &values.cgroups_mode);
  flags.add("empty-ns", 0, &values.empty_namespaces);
  flags.add("auto-dedup", 0, &values.auto_dedup);
  flags.add("lazy-pages", 0, &values.lazy_pages);
}

Result<void> take_criu_flags(const CriuFlags& values, std::string_view verb,
                             container::CriuCommon& options) {
  if (::geteuid() != 0)
    return fail(ErrorKind::kPermission, "{} needs root: criu reads and makes what only root may",
                verb);
  // That of the network is always left empty: whoever made its content makes it again.
  for (const std::string& name : values.empty_namespaces)
    if (name != "network")
      return fail(ErrorKind::kUnsupported, "--empty-ns: namespace \"{}\" is not supported", name);
  options.image_path =
      TRY(absolute(values.image_path.empty() ? std::string(kDefaultImages) : values.image_path));
  if (!values.work_path.empty()) options.work_path = TRY(absolute(values.work_path));
  options.tcp_established = values.tcp_established;
  options.external_unix_sockets = values.external_unix_sockets;
  options.shell_job = values.shell_job;
  options.file_locks = values.file_locks;
  options.auto_dedup = values.auto_dedup;
  options.lazy_pages = values.lazy_pages;
  options.cgroup_mode = TRY(container::parse_cgroup_mode(values.cgroups_mode));
  return {};
}

}  // namespace berth::runtime
