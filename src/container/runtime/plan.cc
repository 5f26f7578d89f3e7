// make_plan(): the parent's half of init.h.
#include <algorithm>

#include "container/isolate/cgroup_view.h"
#include "container/runtime/failure.h"
#include "container/runtime/init.h"
#include "container/spec/normal_path.h"

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

// Splits the mounts into those that can be made at once and those that have to wait, each in the
// spec's order. One that is below a waiting one, or covers it, waits too.
void split_mounts(const std::vector<Mount>& mounts, std::vector<std::size_t>& early,
                  std::vector<std::size_t>& late) {
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    paths.push_back(normal_path(absolute_path(mounts[i].destination)));
    const auto related = [&](std::size_t other) {
      return is_below(paths[i], paths[other]) || is_below(paths[other], paths[i]);
    };
    const bool waits = needs_namespaces(mounts[i]) || std::ranges::any_of(late, related);
    (waits ? late : early).push_back(i);
  }
}

Result<void> plan_mounts(const Spec& spec, const CreateOptions& options, const CgroupView& view,
                         InitPlan& plan) {
  std::vector<std::size_t> early, late;
  split_mounts(spec.mounts, early, late);
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
  for (const std::size_t index : early) TRY(add(index));
  plan.first_late = plan.mounts.size();
  for (const std::size_t index : late) TRY(add(index));
  const Failure failure = plan.mapped.make(plan.mounts);
  if (failure.step != Step::kNone) return describe_failure(failure, plan);
  return {};
}

}  // namespace

Result<std::unique_ptr<InitPlan>> make_plan(const Spec& spec, const CreateOptions& options,
                                            const CgroupManager& cgroups,
                                            const std::string& cgroup_path) {
  auto plan = std::make_unique<InitPlan>();
  plan->namespaces = TRY(plan_namespaces(spec, options.network_namespace));
  plan->uts = plan_uts(spec);
  plan->rootfs = TRY(plan_rootfs(spec, options.bundle, options.rootfs_mounts));
  const CgroupView view{.version = cgroups.version(),
                        .own_namespace = find_namespace(spec, NamespaceType::kCgroup) != nullptr,
                        .hierarchies = cgroups.hierarchies(),
                        .relative = cgroup_path};
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
