#include "container/isolate/sysctl.h"

#include <sys/stat.h>

namespace berth::container {
namespace {

const char* own_path(NamespaceType type) {
  if (type == NamespaceType::kNetwork) return "/proc/self/ns/net";
  return type == NamespaceType::kIpc ? "/proc/self/ns/ipc" : "/proc/self/ns/uts";
}

// Whether the namespace that is joined is the one this process is in.
Result<bool> joins_own(const Namespace& joined, int network_namespace) {
  const bool by_descriptor = joined.type == NamespaceType::kNetwork && network_namespace >= 0;
  struct stat own = {}, other = {};
  if (::stat(own_path(joined.type), &own) != 0)
    return fail_errno("cannot look at {}", own_path(joined.type));
  const int looked =
      by_descriptor ? ::fstat(network_namespace, &other) : ::stat(joined.path.c_str(), &other);
  if (looked != 0) return fail_errno("cannot look at the namespace '{}'", joined.path);
  return own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

// The spec's text has a namespace for it; it has to be another one than the host's.
Result<void> check_namespace(const Spec& spec, const std::string& name, int network_namespace) {
  const auto type = namespace_of_sysctl(name);
  const Namespace* joined = type ? find_namespace(spec, *type) : nullptr;
  if (!joined) return {};
  const bool is_new =
      joined->path.empty() && (joined->type != NamespaceType::kNetwork || network_namespace < 0);
  if (is_new || !TRY(joins_own(*joined, network_namespace))) return {};
  return fail(ErrorKind::kInvalid,
              "linux.sysctl '{}' needs a namespace of its own: the one that is joined is the "
              "runtime's, and setting it would change the host",
              name);
}

}  // namespace

Result<SysctlPlan> plan_sysctl(const Spec& spec, int network_namespace) {
  SysctlPlan plan;
  for (const auto& [name, value] : spec.linux_.sysctl) {
    TRY(check_namespace(spec, name, network_namespace));
    // Dots separate, unless a slash comes first: then dots are part of a name
    // ("net/ipv4/conf/eth0.1/forwarding"). sysctl(8).
    std::string path = name;
    const auto first = path.find_first_of("./");
    if (first != std::string::npos && path[first] == '.')
      for (char& c : path) c = c == '.' ? '/' : c == '/' ? '.' : c;
    plan.entries.push_back({name, "sys/" + path, value});
  }
  return plan;
}

}  // namespace berth::container
