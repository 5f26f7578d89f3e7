#include "container/checkpoint/checkpoint.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "container/cgroup/manager.h"
#include "container/checkpoint/criu.h"
#include "container/checkpoint/descriptors.h"
#include "container/checkpoint/externals.h"
#include "sys/file.h"

namespace berth::container {
namespace {

constexpr std::string_view kLogFile = "dump.log";

void add_choices(const CheckpointOptions& choices, CriuOptions& options) {
  options.leave_running = choices.leave_running;
  options.tcp_skip_in_flight = choices.tcp_skip_in_flight;
  options.link_remap = choices.link_remap;
  options.page_server = choices.page_server;
  options.parent_images = choices.parent_path;
  options.track_memory = !choices.parent_path.empty();
}

// Which cgroup stops all processes at once. On v1 there is one if the container was paused before;
// without, criu stops one process after the other.
Result<std::string> freezer_of(const std::vector<std::string>& paths) {
  const auto cgroups = TRY(adopt_cgroups(paths));
  if (cgroups->version() == CgroupVersion::kV2) return paths.front();
  const CgroupDirectory* freezer = cgroups->directory_of("freezer");
  return freezer ? freezer->path() : std::string();
}

CgroupView view_of(const Spec& spec, const CgroupLayout& layout) {
  return {.version = layout.version,
          .own_namespace = find_namespace(spec, NamespaceType::kCgroup) != nullptr,
          .hierarchies = layout.hierarchies,
          .relative = {}};
}

Result<void> name_externals(const Spec& spec, const CheckpointTarget& target,
                            CriuOptions& options) {
  const CgroupLayout layout = TRY(detect_cgroups());
  const CgroupView view = view_of(spec, layout);
  for (const ExternalMount& mount : TRY(external_mounts(spec, options.root, target.bundle, view)))
    options.external.push_back(external_mount(mount.destination, mount.destination));
  const UniqueFd root =
      TRY(sys::open_file(fmt::format("/proc/{}/root", target.pid), O_PATH | O_DIRECTORY));
  for (const std::string& path : TRY(masked_files(spec, root.get())))
    options.external.push_back(external_mount(path, "/dev/null"));
  return name_namespaces(spec, target.pid, options);
}

// Whoever waits reads a byte, or nothing if it never comes to that.
Result<void> tell_ready(int status_fd) {
  if (status_fd < 0) return {};
  auto written = sys::write_all(status_fd, std::string_view("\0", 1)).context("--status-fd");
  ::close(status_fd);
  return written;
}

}  // namespace

Result<void> checkpoint(const Spec& spec, const CheckpointTarget& target,
                        const CheckpointOptions& options) {
  TRY(need_own_mounts(spec));
  PreparedOptions prepared = TRY(prepare_options(options, spec, std::string(kLogFile)));
  CriuOptions& asked = prepared.options;
  add_choices(options, asked);
  asked.pid = target.pid;
  asked.freeze_cgroup = TRY(freezer_of(target.cgroups));
  asked.root = TRY(real_path(target.rootfs).context("the container's root"));
  if (!options.pre_dump) {
    TRY(name_externals(spec, target, asked));
    TRY(write_descriptors(prepared.images.get(), target.streams));
  }
  Criu criu = TRY(Criu::start({}));
  if (options.pre_dump || options.lazy_pages)
    TRY(criu.need({.memory_tracking = options.pre_dump, .lazy_pages = options.lazy_pages}));
  return criu.run(
      options.pre_dump ? CriuVerb::kPreDump : CriuVerb::kDump, asked,
      options.log_path(std::string(kLogFile)),
      [&, told = false](const CriuResponse& notify, const UniqueFd&) mutable -> Result<void> {
        if (notify.script != "status-ready" || std::exchange(told, true)) return {};
        return tell_ready(options.status_fd);
      });
}

}  // namespace berth::container
