#include "container/checkpoint/restore.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/log.h"
#include "base/scope_exit.h"
#include "container/cgroup/ending.h"
#include "container/cgroup/manager.h"
#include "container/checkpoint/cgroup_roots.h"
#include "container/checkpoint/criu.h"
#include "container/checkpoint/descriptors.h"
#include "container/checkpoint/externals.h"
#include "container/checkpoint/stand_in.h"
#include "container/isolate/devices.h"
#include "container/isolate/hooks.h"
#include "container/isolate/namespaces.h"
#include "container/isolate/net_devices.h"
#include "container/resctrl/groups.h"
#include "container/runtime/state.h"
#include "container/systemd/cgroups.h"
#include "sys/file.h"
#include "sys/netns.h"
#include "sys/process.h"

namespace berth::container {
namespace {

constexpr std::string_view kLogFile = "restore.log";

class Restoration {
 public:
  Restoration(const Spec& spec, const RestoreOptions& options) : spec_(spec), options_(options) {}
  ~Restoration() {
    if (!done_) undo();
  }
  Restoration(const Restoration&) = delete;
  Restoration& operator=(const Restoration&) = delete;

  Result<Restored> run();

 private:
  Result<std::unique_ptr<CgroupManager>> open_manager();
  Result<void> make_cgroups();
  Result<void> prepare();
  Result<Criu> start_criu(const RestoreRoot& root) const;
  Result<void> describe(const Criu& criu, CriuOptions& asked) const;
  Result<void> hear(const CriuResponse& notify, UniqueFd passed);
  Result<void> finish_namespaces(pid_t pid);
  Result<void> take_init(pid_t pid);
  void undo();

  const Spec& spec_;
  const RestoreOptions& options_;
  std::string rootfs_;  // without symbolic links
  CgroupLayout layout_;
  Resources limits_;
  std::unique_ptr<CgroupManager> cgroups_;  // null: none were made
  std::optional<StandIn> stand_in_;         // until criu is in the scope
  std::optional<RdtGroups> rdt_;
  Begun begun_;
  std::vector<CriuInheritedFd> inherited_;
  std::vector<CriuJoinedNamespace> joined_;
  std::vector<UniqueFd> passed_;  // namespaces, for criu
  Restored restored_;
  bool done_ = false;
};

Result<std::unique_ptr<CgroupManager>> Restoration::open_manager() {
  layout_ = TRY(detect_cgroups());
  limits_ = with_default_devices(spec_.linux_.resources);
  if (options_.systemd_cgroup) return open_systemd_cgroups(layout_, spec_, options_.id, limits_);
  return open_cgroups(layout_, cgroup_path_of(spec_.linux_.cgroups_path, options_.id), limits_);
}

Result<void> Restoration::make_cgroups() {
  auto cgroups = TRY(open_manager());
  for (const Hierarchy& hierarchy : cgroups->hierarchies())
    begun_.cgroups.push_back(hierarchy.path + "/" + cgroups->relative());
  begun_.unit = cgroups->unit();
  if (const auto& rdt = spec_.linux_.intel_rdt) {
    rdt_.emplace(*rdt, options_.id, TRY(find_resctrl()));
    TRY(rdt_->check(*rdt));
    begun_.rdt_groups = rdt_->own();
  }
  TRY(options_.on_begun(begun_));
  if (options_.systemd_cgroup) stand_in_.emplace(TRY(StandIn::start()));
  cgroups_ = std::move(cgroups);
  TRY(cgroups_->create(stand_in_ ? stand_in_->pid() : 0));
  begun_.owns_cgroups = true;
  TRY(options_.on_begun(begun_));
  if (rdt_) TRY(rdt_->create(*spec_.linux_.intel_rdt));
  return cgroups_->apply(limits_);
}

Result<Criu> Restoration::start_criu(const RestoreRoot& root) const {
  const std::vector<UniqueFd> entrances = TRY(cgroups_->entrances());
  CriuPlace place{.cgroup = cgroups_->clone_directory(), .root = &root};
  std::ranges::copy(options_.stdio, place.streams);
  for (const UniqueFd& fd : passed_) place.passed.push_back(fd.get());
  for (const UniqueFd& fd : entrances) place.entrances.push_back(fd.get());
  Criu criu = TRY(Criu::start(place));
  if (rdt_) TRY(rdt_->admit(criu.pid()));  // and with it all that it restores
  const bool labels = !options_.lsm_profile.empty() || !options_.lsm_mount_context.empty();
  if (labels && criu.version() < kCriuWithLabels)
    return fail(ErrorKind::kUnsupported,
                "--lsm-profile and --lsm-mount-context need criu {}; this one is {}",
                criu_version_text(kCriuWithLabels), criu_version_text(criu.version()));
  return criu;
}

Result<void> Restoration::describe(const Criu& criu, CriuOptions& asked) const {
  asked.root = rootfs_;
  asked.evasive_devices = true;
  asked.restore_sibling = true;
  asked.lsm_profile = options_.lsm_profile;
  asked.lsm_mount_context = options_.lsm_mount_context;
  asked.cgroup_roots = TRY(cgroup_roots_of(criu.pid()));
  asked.inherited_fds = inherited_;
  asked.joined_namespaces = joined_;
  const CgroupView view{.version = layout_.version,
                        .own_namespace = find_namespace(spec_, NamespaceType::kCgroup) != nullptr,
                        .hierarchies = cgroups_->hierarchies(),
                        .relative = cgroups_->relative()};
  for (const auto& [place, source] : TRY(external_mounts(spec_, rootfs_, options_.bundle, view)))
    asked.external.push_back(external_mount(place, source));
  if (!spec_.linux_.masked_paths.empty())
    asked.external.push_back(external_mount("/dev/null", "/dev/null"));
  return {};
}

// The namespaces are made, and nothing is restored in them yet.
Result<void> Restoration::finish_namespaces(pid_t pid) {
  const Namespace* network = find_namespace(spec_, NamespaceType::kNetwork);
  if (network && network->path.empty()) {
    const UniqueFd inside = TRY(sys::open_file(fmt::format("/proc/{}/ns/net", pid), O_RDONLY));
    TRY(sys::run_in_network_namespace(inside.get(), []() -> Result<void> {
      if (!bring_loopback_up()) return fail_errno("cannot bring the loopback interface up");
      return {};
    }));
  }
  TRY(move_net_devices(spec_.linux_.net_devices, pid));
  const std::string state = to_json(OciState{.id = options_.id,
                                             .status = "creating",
                                             .pid = pid,
                                             .bundle = options_.bundle,
                                             .annotations = spec_.annotations});
  TRY(run_hooks(spec_.hooks.prestart, "prestart", state));
  return run_hooks(spec_.hooks.create_runtime, "createRuntime", state);
}

Result<void> Restoration::take_init(pid_t pid) {
  restored_.pidfd = TRY(sys::open_pidfd(pid));
  restored_.pid = begun_.pid = pid;
  return options_.on_begun(begun_);
}

Result<void> Restoration::hear(const CriuResponse& notify, UniqueFd passed) {
  const bool of_init = notify.script == "setup-namespaces" || notify.script == "post-restore";
  if (of_init && notify.pid <= 0)
    return fail(ErrorKind::kInternal, "criu says {} of process {}", notify.script, notify.pid);
  if (notify.script == "setup-namespaces") return finish_namespaces(notify.pid);
  if (notify.script == "post-restore") return take_init(notify.pid);
  if (notify.script == "orphan-pts-master") restored_.console = std::move(passed);
  return {};
}

// What can be wrong with the images and the spec, before anything is made.
Result<void> Restoration::prepare() {
  const UniqueFd images = TRY(sys::open_file(options_.image_path, O_RDONLY | O_DIRECTORY));
  inherited_ = TRY(read_descriptors(images.get())
                       .context(options_.image_path + " has no checkpoint of a container"));
  const std::string& path = spec_.root.path;
  rootfs_ = TRY(real_path(path.starts_with('/') ? path : options_.bundle + "/" + path)
                    .context("the container's root"));
  passed_ = TRY(join_namespaces_again(spec_, kFirstPassed, inherited_, joined_));
  return {};
}

Result<Restored> Restoration::run() {
  TRY(prepare());
  const RestoreRoot root = TRY(plan_restore_root(spec_, rootfs_, options_.bundle));
  TRY(make_cgroups());
  Criu criu = TRY(start_criu(root));
  stand_in_.reset();
  PreparedOptions prepared = TRY(prepare_options(options_, spec_, std::string(kLogFile),
                                                 fmt::format("/proc/{}/root", criu.pid())));
  TRY(describe(criu, prepared.options));
  TRY(criu.run(CriuVerb::kRestore, prepared.options, options_.log_path(std::string(kLogFile)),
               [this](const CriuResponse& notify, UniqueFd passed) {
                 return hear(notify, std::move(passed));
               }));
  if (!restored_.pidfd.valid())
    return fail(ErrorKind::kInternal, "criu restored a container and did not tell its pid");
  done_ = true;
  return std::move(restored_);
}

void Restoration::undo() {
  if (restored_.pidfd.valid()) {
    (void)sys::signal_process(restored_.pidfd.get(), SIGKILL);  // criu may have done that
    if (wait_until_ended(restored_.pidfd.get(), kill_deadline()).ok())
      (void)sys::wait_process(restored_.pidfd.get());
  }
  stand_in_.reset();
  if (!cgroups_) return;
  for (const auto& gone : {cgroups_->destroy(), remove_rdt_groups(begun_.rdt_groups)})
    if (!gone.ok()) log::warning("{}: {}", options_.id, gone.error().message());
}

}  // namespace

Result<Restored> restore(const Spec& spec, const RestoreOptions& options) {
  TRY(check_id(options.id));
  TRY(validate(spec));
  TRY(need_own_mounts(spec));
  if (options.systemd_cgroup && !sys::is_host_root())
    return fail(ErrorKind::kUnsupported,
                "a restore with --systemd-cgroup is for root alone: criu is born in the scope");
  return Restoration(spec, options).run();
}

}  // namespace berth::container
