// berth-runtime features: what this runtime can do, as JSON. runtime-spec features.md,
// features-linux.md. Nothing is listed here: the names are those of the tables that the rest of the
// program works by, so that the two cannot disagree (container/spec/support.h).
#include <algorithm>

#include "berth-runtime/launch.h"
#include "container/seccomp/compiler.h"
#include "container/spec/json_writer.h"
#include "container/spec/kernel_names.h"
#include "container/spec/names.h"
#include "container/spec/support.h"
#include "container/systemd/annotations.h"
#include "sys/mount_options.h"

namespace berth::runtime {
namespace {

namespace oci = container;

constexpr std::string_view kOldestVersion = "1.0.0";  // validate() takes every 1.x

using Names = std::vector<std::string_view>;

template <typename Table>
Names names_in(const Table& table) {
  Names names;
  for (const auto& row : table) names.push_back(row.name);
  std::ranges::sort(names);
  return names;
}

class Writer {
 public:
  template <typename Range>
  void list(std::string_view name, const Range& values) {
    out_.key(name);
    out_.begin_array();
    for (const auto& value : values) out_.write(std::string_view(value));
    out_.end_array();
  }
  template <typename T>
  void field(std::string_view name, T value) {
    out_.key(name);
    out_.write(value);
  }
  template <typename Body>
  void object(std::string_view name, Body body) {
    out_.key(name);
    out_.begin_object();
    body();
    out_.end_object();
  }
  void enabled(std::string_view name, bool value) {
    object(name, [&] { field("enabled", value); });
  }
  oci::JsonWriter& out() { return out_; }

 private:
  oci::JsonWriter out_{4};
};

// Without somewhere to send it, a notification is an action that nobody answers.
Names seccomp_actions() {
  Names names = names_in(oci::kSeccompActionNames);
  if (!oci::takes<oci::SeccompProfile>("listenerPath"))
    std::erase(names, oci::name_of(oci::SeccompAction::kNotify));
  return names;
}

void write_cgroup(Writer& out) {
  out.field("v1", true);
  out.field("v2", true);
  out.field("systemd", true);
  out.field("systemdUser", true);
  out.field("rdma", oci::takes<oci::Resources>("rdma"));
}

void write_seccomp(Writer& out) {
  out.field("enabled", oci::takes<oci::Linux>("seccomp"));
  out.list("actions", seccomp_actions());
  out.list("operators", names_in(oci::kSeccompOperatorNames));
  Names architectures(oci::kSeccompArchitectures.begin(), oci::kSeccompArchitectures.end());
  std::ranges::sort(architectures);
  out.list("archs", architectures);
  out.list("knownFlags", names_in(oci::kSeccompFlags));
  out.list("supportedFlags", names_in(oci::kSeccompFlags));
}

void write_linux(Writer& out) {
  out.list("namespaces", names_in(oci::kNamespaceNames));
  out.list("capabilities", oci::kCapabilityNames);
  out.object("cgroup", [&] { write_cgroup(out); });
  out.object("seccomp", [&] { write_seccomp(out); });
  out.enabled("apparmor", oci::takes<oci::Process>("apparmorProfile"));
  out.enabled("selinux", oci::takes<oci::Process>("selinuxLabel"));
  out.object("intelRdt", [&] {
    out.field("enabled", oci::takes<oci::Linux>("intelRdt"));
    out.field("schemata", oci::takes<oci::IntelRdt>("schemata"));
    out.field("monitoring", oci::takes<oci::IntelRdt>("enableMonitoring"));
  });
  out.object("mountExtensions",
             [&] { out.enabled("idmap", oci::takes<oci::Mount>("uidMappings")); });
  // Not properties of the versions before the one that brought them.
  if (oci::takes<oci::Linux>("memoryPolicy"))
    out.object("memoryPolicy", [&] {
      out.list("modes", names_in(oci::kMemoryPolicyModeNames));
      out.list("flags", names_in(oci::kMemoryPolicyFlagNames));
    });
  if (oci::takes<oci::Linux>("netDevices")) out.enabled("netDevices", true);
}

}  // namespace

Result<int> features(const Globals&, Words words) {
  if (!TRY(Flags().parse(words)).empty())
    return fail(ErrorKind::kInvalid, "features takes no arguments");
  Writer out;
  out.out().begin_object();
  out.field("ociVersionMin", kOldestVersion);
  out.field("ociVersionMax", oci::kOciVersion);
  out.list("hooks", oci::fields_of<oci::Hooks>());
  out.list("mountOptions", sys::known_mount_options());
  out.object("linux", [&] { write_linux(out); });
  out.object("annotations", [&] {
    out.field("org.opencontainers.runc.checkpoint.enabled",
              std::string_view(oci::kCheckpoint ? "true" : "false"));
  });
  out.list("potentiallyUnsafeConfigAnnotations", Names{oci::kPropertyAnnotation});
  out.out().end_object();
  fmt::print("{}\n", out.out().take());
  return 0;
}

}  // namespace berth::runtime
