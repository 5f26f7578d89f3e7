// berth-runtime spec [--bundle DIR] [--rootless] [--seccomp]: writes a config.json to start from.
#include <fcntl.h>
#include <unistd.h>

#include "berth-runtime/launch.h"
#include "container/cgroup/layout.h"
#include "container/seccomp/default_profile.h"
#include "sys/file.h"

namespace berth::runtime {

namespace {

// What a user without privileges may run, as runc has it: in a user namespace with the caller for
// root, the host's network and /sys, and no limits.
void make_rootless(container::Spec& spec) {
  using container::NamespaceType;
  container::Linux& section = spec.linux_;
  const auto layout = container::detect_cgroups();
  const bool v2 = layout.ok() && layout->version == container::CgroupVersion::kV2;
  std::erase_if(section.namespaces, [&](const container::Namespace& entry) {
    return entry.type == NamespaceType::kNetwork || entry.type == NamespaceType::kUser ||
           (entry.type == NamespaceType::kCgroup && !v2);
  });
  section.namespaces.push_back({NamespaceType::kUser, {}});
  section.uid_mappings = {{.container_id = 0, .host_id = ::geteuid(), .size = 1}};
  section.gid_mappings = {{.container_id = 0, .host_id = ::getegid(), .size = 1}};
  section.resources = {};
  for (container::Mount& mount : spec.mounts) {
    if (mount.destination == "/sys")
      mount = {"/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"}, {}, {}};
    // Of other ids there are none in the namespace.
    std::erase_if(mount.options, [](const std::string& option) {
      return option.starts_with("gid=") || option.starts_with("uid=");
    });
  }
}

}  // namespace

Result<int> spec(const Globals&, Words words) {
  std::string bundle;
  bool rootless = false;
  bool seccomp = false;
  Flags flags;
  flags.add("bundle", 'b', &bundle);
  flags.add("rootless", 0, &rootless);
  flags.add("seccomp", 0, &seccomp);
  if (!TRY(flags.parse(words)).empty()) return fail(ErrorKind::kInvalid, "spec takes no arguments");
  const std::string path = bundle.empty() ? "config.json" : bundle + "/config.json";
  auto file = sys::open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0666);
  if (!file.ok() && file.error().os_errno() == EEXIST)
    return fail(ErrorKind::kConflict, "File {} exists. Remove it first", path);
  container::Spec spec = container::default_spec();
  if (rootless) make_rootless(spec);
  // What the engine gives its workloads; runc's own spec has none.
  if (seccomp) {
    const auto& capabilities = spec.process.capabilities;
    spec.linux_.seccomp = container::default_seccomp_profile(
        capabilities ? capabilities->bounding : std::vector<std::string>());
  }
  TRY(sys::write_all(TRY(std::move(file)).get(), to_pretty_json(spec)));
  return 0;
}

}  // namespace berth::runtime
