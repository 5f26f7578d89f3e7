#include "container/isolate/mounts.h"

#include <sys/mount.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "container/spec/kernel_names.h"
#include "container/spec/normal_path.h"

namespace berth::container {
namespace {

// Their superblock is shared with others, or has no read-only state: "ro" is the mount's alone.
constexpr auto kSharedSuperblock = std::to_array<std::string_view>(
    {"proc", "sysfs", "cgroup", "cgroup2", "mqueue", "devpts", "tmpfs", "overlay"});

MountKind kind_of(std::string_view type) {
  if (type == "proc") return MountKind::kProc;
  if (type == "sysfs") return MountKind::kSysfs;
  if (type == "devpts") return MountKind::kDevpts;
  return MountKind::kFilesystem;
}

// fsconfig(2) takes values of at most 255 bytes, and an overlay's list of layers is longer: the
// kernel takes it layer by layer as "lowerdir+" (Documentation/filesystems/overlayfs.rst). A
// backslash escapes a colon only in the list.
void split_lower_directories(std::vector<sys::MountParameter>& parameters) {
  std::vector<sys::MountParameter> split;
  for (auto& parameter : parameters) {
    if (parameter.key != "lowerdir" || parameter.value.find('\\') != std::string::npos ||
        parameter.value.find("::") != std::string::npos) {
      split.push_back(std::move(parameter));
      continue;
    }
    std::string_view rest = parameter.value;
    while (!rest.empty()) {
      const auto colon = std::min(rest.find(':'), rest.size());
      split.push_back({"lowerdir+", std::string(rest.substr(0, colon)), true});
      rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
  }
  parameters = std::move(split);
}

bool has_parameter(const sys::MountOptions& options, std::string_view key) {
  return std::ranges::find(options.parameters, key, &sys::MountParameter::key) !=
         options.parameters.end();
}

void set_superblock_read_only(MountPlan& plan) {
  if (std::ranges::find(kSharedSuperblock, plan.type) != kSharedSuperblock.end()) return;
  if (plan.options.read_only()) plan.options.superblock_flags.emplace_back("ro");
  // What is there may be read-only.
  const bool writable = (plan.options.attr_clear & MOUNT_ATTR_RDONLY) != 0;
  if (plan.kind == MountKind::kRemount && writable)
    plan.options.superblock_flags.emplace_back("rw");
}

}  // namespace

Result<MountPlan> plan_mount(const sys::MountSpec& spec, const std::string& destination,
                             const std::string& noun, const std::string& bundle) {
  MountPlan plan;
  plan.options = TRY(sys::parse_mount_options(spec.options).context(noun));
  plan.type = spec.type;
  plan.source = spec.source;
  plan.destination = destination;
  plan.may_cover_in_proc = may_cover_in_proc(normal_path(destination));
  plan.takes_mode =
      !destination.empty() && spec.type == "tmpfs" && !has_parameter(plan.options, "mode");
  if (plan.options.copy_up && (spec.type != "tmpfs" || plan.options.bind || plan.options.remount))
    return fail(ErrorKind::kInvalid, "{}: tmpcopyup is for a tmpfs", noun);
  if (plan.options.remount) {
    plan.kind = MountKind::kRemount;
    if (!plan.options.bind) set_superblock_read_only(plan);
    return plan;
  }
  if (plan.options.bind || spec.type == "bind") {
    plan.kind = MountKind::kBind;
    plan.options.bind = true;
    if (plan.source.empty())
      return fail(ErrorKind::kInvalid, "{}: a bind mount needs a source", noun);
    if (!plan.source.starts_with('/')) plan.source = bundle + "/" + plan.source;
    const auto& propagations = plan.options.propagations;
    plan.stays_peer = !propagations.empty() && propagations.front().kind == MS_SHARED;
    return plan;
  }
  plan.kind = kind_of(spec.type);
  plan.classic_data = sys::classic_data(plan.options.parameters);
  set_superblock_read_only(plan);
  if (plan.type == "overlay") split_lower_directories(plan.options.parameters);
  return plan;
}

void label_mount(MountPlan& plan, const std::string& context) {
  // The kernel labels procfs and sysfs itself; a bind has the labels of its files.
  if (context.empty() || (plan.kind != MountKind::kFilesystem && plan.kind != MountKind::kDevpts))
    return;
  if (plan.type == "mqueue") {
    plan.root_context = context;
    return;
  }
  if (has_parameter(plan.options, "context")) return;
  plan.options.parameters.push_back({"context", context, true});
  // A context may have commas.
  if (!plan.classic_data.empty()) plan.classic_data += ',';
  plan.classic_data += "context=\"" + context + "\"";
}

Result<MountPlan> plan_plain_mount(const sys::MountSpec& spec, const std::string& destination,
                                   const std::string& noun, const std::string& bundle) {
  MountPlan plan = TRY(plan_mount(spec, destination, noun, bundle));
  if (plan.options.is_special())
    return fail(ErrorKind::kUnsupported,
                "{}: remount, tmpcopyup, idmap and ridmap are not supported for it", noun);
  return plan;
}

}  // namespace berth::container
