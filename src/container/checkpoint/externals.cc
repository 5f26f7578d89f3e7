#include "container/checkpoint/externals.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>

#include "container/isolate/devices.h"
#include "container/isolate/paths.h"
#include "container/spec/names.h"
#include "container/spec/normal_path.h"
#include "sys/file.h"

namespace berth::container {
namespace {

// What criu takes as a descriptor, and the key that the images have it under: runc's, so that
// either can restore what the other has dumped.
struct ByDescriptor {
  NamespaceType type;
  std::string_view name;  // in /proc/<pid>/ns
  std::string_view key;
};
constexpr auto kByDescriptor = std::to_array<ByDescriptor>({
    {NamespaceType::kNetwork, "net", "extRootNetNS"},
    {NamespaceType::kPid, "pid", "extRootPidNS"},
});

// What criu joins by itself, and what it calls it.
struct ByPath {
  NamespaceType type;
  std::string_view name;
};
constexpr auto kByPath = std::to_array<ByPath>({
    {NamespaceType::kUts, "uts"},
    {NamespaceType::kIpc, "ipc"},
    {NamespaceType::kUser, "user"},
    {NamespaceType::kTime, "time"},
});

// The place as the kernel shows it: the links on the way are those of the image. One that is not
// there, or that another file system covers, is taken as it is written.
Result<std::string> place_of(int root, const std::string& rootfs, const std::string& destination) {
  std::string place = normal_path(absolute_path(destination));
  if (const UniqueFd found(open_in_root(root, place.c_str())); found.valid()) {
    char path[PATH_MAX];
    const ssize_t length =
        ::readlink(fmt::format("/proc/self/fd/{}", found.get()).c_str(), path, sizeof path);
    const std::string_view resolved(path, length > 0 ? static_cast<std::size_t>(length) : 0);
    if (resolved.starts_with(rootfs + "/")) place = resolved.substr(rootfs.size());
  }
  if (place.find(']') != std::string::npos)
    return fail(ErrorKind::kUnsupported,
                "criu cannot be told of the mount at '{}': its name has a ']'", destination);
  return place;
}

std::vector<ExternalMount> bound_cgroups(const Mount& mount, const CgroupView& cgroups) {
  std::vector<ExternalMount> bound;
  if (cgroups.version == CgroupVersion::kV2 || cgroups.own_namespace) return bound;
  for (const Hierarchy& hierarchy : cgroups.hierarchies)
    bound.push_back(
        {mount.destination + "/" + hierarchy.name, hierarchy.path + "/" + cgroups.relative});
  return bound;
}

}  // namespace

bool is_bind(const Mount& mount) {
  return mount.type == "bind" || std::ranges::find(mount.options, "bind") != mount.options.end() ||
         std::ranges::find(mount.options, "rbind") != mount.options.end();
}

std::string bind_source(const Mount& mount, const std::string& bundle) {
  return mount.source.starts_with('/') ? mount.source : bundle + "/" + mount.source;
}

Result<std::vector<ExternalMount>> external_mounts(const Spec& spec, const std::string& rootfs,
                                                   const std::string& bundle,
                                                   const CgroupView& cgroups) {
  std::vector<ExternalMount> mounts;
  for (const Mount& mount : spec.mounts) {
    if (is_bind(mount)) mounts.push_back({mount.destination, bind_source(mount, bundle)});
    if (mount.type == "cgroup")
      std::ranges::move(bound_cgroups(mount, cgroups), back_inserter(mounts));
  }
  if (const DevicesPlan devices = plan_devices(spec); devices.wanted && devices.bind)
    for (const DeviceNode& node : devices.nodes) mounts.push_back({node.path, node.path});
  const UniqueFd root = TRY(sys::open_file(rootfs, O_PATH | O_DIRECTORY));
  for (ExternalMount& mount : mounts)
    mount.destination = TRY(place_of(root.get(), rootfs, mount.destination));
  return mounts;
}

Result<std::vector<std::string>> masked_files(const Spec& spec, int root) {
  std::vector<std::string> files;
  for (const std::string& path : spec.linux_.masked_paths) {
    const UniqueFd found(open_in_root(root, path.c_str()));
    struct stat status = {};
    if (!found.valid() && (errno == ENOENT || errno == ENOTDIR)) continue;
    if (!found.valid() || ::fstat(found.get(), &status) != 0)
      return fail_errno("cannot look at the masked {}", path);
    if (!S_ISDIR(status.st_mode)) files.push_back(path);
  }
  return files;
}

std::string external_mount(std::string_view place, std::string_view meaning) {
  return fmt::format("mnt[{}]:{}", place, meaning);
}

Result<void> name_namespaces(const Spec& spec, pid_t pid, CriuOptions& options) {
  for (const auto& [type, name, key] : kByDescriptor) {
    const Namespace* wanted = find_namespace(spec, type);
    if (!wanted || wanted->path.empty()) continue;
    struct stat found = {};
    if (::stat(fmt::format("/proc/{}/ns/{}", pid, name).c_str(), &found) != 0)
      return fail_errno("cannot look at the {} namespace of process {}", name_of(type), pid);
    options.external.push_back(fmt::format("{}[{}]:{}", name, found.st_ino, key));
  }
  return {};
}

Result<std::vector<UniqueFd>> join_namespaces_again(const Spec& spec, int first,
                                                    std::vector<CriuInheritedFd>& inherited,
                                                    std::vector<CriuJoinedNamespace>& joined) {
  std::vector<UniqueFd> opened;
  for (const Namespace& wanted : spec.linux_.namespaces) {
    if (wanted.path.empty()) continue;
    const auto passed = std::ranges::find(kByDescriptor, wanted.type, &ByDescriptor::type);
    if (passed != kByDescriptor.end()) {
      opened.push_back(TRY(sys::open_file(wanted.path, O_RDONLY)
                               .context(fmt::format("the {} namespace", name_of(wanted.type)))));
      inherited.push_back({std::string(passed->key), first + static_cast<int>(opened.size()) - 1});
      continue;
    }
    const auto by_path = std::ranges::find(kByPath, wanted.type, &ByPath::type);
    if (by_path == kByPath.end())
      return fail(ErrorKind::kUnsupported, "criu cannot join the {} namespace '{}'",
                  name_of(wanted.type), wanted.path);
    joined.push_back({std::string(by_path->name), wanted.path});
  }
  return opened;
}

}  // namespace berth::container
