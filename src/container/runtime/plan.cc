// make_plan(): the parent's half of init.h.
#include <unistd.h>

#include <algorithm>
#include <span>

#include "container/isolate/cgroup_view.h"
#include "container/runtime/failure.h"
#include "container/runtime/init.h"
#include "container/spec/normal_path.h"
#include "sys/file.h"

namespace berth::container {
namespace {

bool is_below(std::string_view path, std::string_view directory) {
  while (directory.ends_with('/')) directory.remove_suffix(1);
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

// sysfs shows the network namespace, and the cgroup file systems the cgroups, that the process
// which mounts is in; and what is copied is charged to its cgroup.
bool needs_namespaces(const Mount& mount) {
  return mount.type == "sysfs" || mount.type == "cgroup" || mount.type == "cgroup2" ||
         std::ranges::find(mount.options, "tmpcopyup") != mount.options.end();
}

// Whether /dev is not yet what it will be when the mounts before `late` are made: the nodes, links
// and the terminal then wait too. A file system below /dev is no reason, but for devpts, of which
// the terminal is; a bind may be of a node.
bool devices_wait(std::span<const Mount> late) {
  return std::ranges::any_of(late, [](const Mount& mount) {
    const std::string path = normal_path(absolute_path(mount.destination));
    const bool matters = mount.type == "devpts" || mount.type == "bind" ||
                         std::ranges::find(mount.options, "bind") != mount.options.end() ||
                         std::ranges::find(mount.options, "rbind") != mount.options.end();
    return is_below("/dev", path) || (is_below(path, "/dev") && matters);
  });
}

Result<void> plan_mounts(const Spec& spec, const CreateOptions& options, const CgroupView& view,
                         InitPlan& plan) {
  const auto add = [&](std::size_t index) -> Result<void> {
    const Mount& mount = spec.mounts[index];
    const std::string noun = fmt::format("mounts[{}]", index);
    if (mount.type == "cgroup") {
      for (MountPlan& part : TRY(plan_cgroup_view(mount, noun, view)))
        label_mount(plan.mounts.emplace_back(std::move(part)), spec.linux_.mount_label);
      return {};
    }
    plan.mounts.push_back(TRY(plan_mount({mount.type, mount.source, mount.options},
                                         absolute_path(mount.destination), noun, options.bundle)));
    label_mount(plan.mounts.back(), spec.linux_.mount_label);
    return plan.mapped.add(mount, noun, plan.mounts.back());
  };
  // The first that has to wait and all after it: the runtime specification wants the order kept.
  const auto waiting = std::ranges::find_if(spec.mounts, needs_namespaces);
  const auto late = static_cast<std::size_t>(waiting - spec.mounts.begin());
  for (std::size_t i = 0; i < late; ++i) TRY(add(i));
  plan.first_late = plan.mounts.size();
  for (std::size_t i = late; i < spec.mounts.size(); ++i) TRY(add(i));
  plan.devices_wait = devices_wait(std::span(spec.mounts).subspan(late));
  const Failure failure = plan.mapped.make(plan.mounts);
  if (failure.step != Step::kNone) return describe_failure(failure, plan);
  for (MountPlan& mount : plan.mounts) mount.beside_host = plan.rootfs.shared;
  const bool peers = std::ranges::any_of(
      plan.mounts, [](const MountPlan& mount) { return mount.stays_peer && mount.premade < 0; });
  // Only root of the host may go there and come back; what others bind is a slave that is shared
  // on.
  if (peers && !plan.rootfs.shared && ::geteuid() == 0 &&
      !find_namespace(spec, NamespaceType::kUser)) {
    plan.rootfs.host_mounts = TRY(sys::open_file("/proc/self/ns/mnt", O_RDONLY));
    plan.rootfs.host_root = TRY(sys::open_file("/", O_PATH | O_DIRECTORY));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<InitPlan>> make_plan(const Spec& spec, const CreateOptions& options,
                                            const CgroupManager& cgroups) {
  auto plan = std::make_unique<InitPlan>();
  plan->namespaces = TRY(plan_namespaces(spec, options.network_namespace));
  plan->uts = plan_uts(spec);
  plan->rootfs = TRY(plan_rootfs(spec, options.bundle, options.rootfs_mounts));
  const CgroupView view{.version = cgroups.version(),
                        .own_namespace = find_namespace(spec, NamespaceType::kCgroup) != nullptr,
                        .hierarchies = cgroups.hierarchies(),
                        .relative = cgroups.relative()};
  plan->mapped = MappedMounts(spec, plan->namespaces);
  TRY(plan_mounts(spec, options, view, *plan));
  plan->devices = plan_devices(spec);
  plan->protect = plan_protect(spec);
  plan->sysctl = TRY(plan_sysctl(spec, options.network_namespace));
  plan->hooks = TRY(plan_hooks(spec.hooks));
  plan->runtime_hooks = !spec.hooks.prestart.empty() || !spec.hooks.create_runtime.empty() ||
                        !spec.linux_.net_devices.empty();
  TRY(plan_workload(spec, options.stdio, *plan));
  plan->start_socket = options.start_socket;
  plan->preserved_fds = options.preserved_fds;
  plan->new_keyring = options.new_keyring;
  return plan;
}

}  // namespace berth::container
