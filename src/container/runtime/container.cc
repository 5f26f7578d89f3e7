#include "container/runtime/container.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "base/scope_exit.h"
#include "container/cgroup/ending.h"
#include "container/cgroup/manager.h"
#include "container/isolate/hooks.h"
#include "container/isolate/id_maps.h"
#include "container/isolate/net_devices.h"
#include "container/isolate/network.h"
#include "container/isolate/owner.h"
#include "container/resctrl/groups.h"
#include "container/runtime/failure.h"
#include "container/runtime/grants.h"
#include "container/runtime/handshake.h"
#include "container/runtime/init.h"
#include "container/runtime/state.h"
#include "container/systemd/cgroups.h"
#include "sys/process.h"

namespace berth::container {
namespace {

constexpr std::size_t kMaxIdLength = 1024;

class LinuxContainer final : public Container {
 public:
  LinuxContainer(Spec spec, CreateOptions options)
      : spec_(std::move(spec)), options_(std::move(options)) {
    options_.stdio[0] = options_.stdio[1] = options_.stdio[2] = -1;
  }
  ~LinuxContainer() override {
    if (phase_ == Phase::kReleased || phase_ == Phase::kStarted) return;
    if (auto gone = destroy(); !gone.ok())
      log::warning("{}: {}", options_.id, gone.error().message());
  }

  Result<void> build(const int (&stdio)[3]);

  pid_t pid() const override { return pid_; }
  int pidfd() const override { return pidfd_.get(); }
  const std::vector<std::string>& cgroup_paths() const override { return cgroups_->paths(); }
  UniqueFd take_console() override { return std::move(console_); }
  Result<void> start() override;
  void release() override;
  Result<void> signal(int signal, bool all) override;
  Result<void> destroy() override;

 private:
  enum class Phase { kNone, kCreated, kStarted, kReleased, kDestroyed };

  Result<void> tell_begun() const;
  Result<void> plan_rdt(const IntelRdt& rdt);
  bool goes_without_cgroups(const CgroupLayout& layout) const;
  Result<void> open_manager();
  Result<void> make_cgroups();
  Result<void> clone_init(UniqueFd& init_end);
  Result<void> admit();
  Result<void> write_hook_input() const;
  Result<void> wait_until_ready();
  std::string state(std::string_view status) const;

  Spec spec_;
  CreateOptions options_;
  Phase phase_ = Phase::kNone;
  std::unique_ptr<InitPlan> plan_;
  Resources limits_;
  std::unique_ptr<CgroupManager> cgroups_;
  std::optional<RdtGroups> rdt_;
  Begun begun_;
  bool without_cgroups_ = false;
  UniqueFd channel_;  // the parent's end
  UniqueFd pidfd_;
  UniqueFd console_;
  pid_t pid_ = 0;
  NetworkMaker network_;  // last: its thread uses the channel
};

std::string LinuxContainer::state(std::string_view status) const {
  return to_json(OciState{.id = options_.id,
                          .status = std::string(status),
                          .pid = status == "stopped" ? 0 : pid_,
                          .bundle = options_.bundle,
                          .annotations = spec_.annotations});
}

Result<void> LinuxContainer::build(const int (&stdio)[3]) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return fail_errno("cannot make a socket pair");
  channel_.reset(ends[0]);
  UniqueFd init_end(ends[1]);
  const Namespace* network = find_namespace(spec_, NamespaceType::kNetwork);
  if (network && network->path.empty() && options_.network_namespace < 0 &&
      !find_namespace(spec_, NamespaceType::kUser))
    TRY(network_.start(channel_.get()));

  TRY(open_manager());
  std::ranges::copy(stdio, options_.stdio);
  plan_ = TRY(make_plan(spec_, options_, *cgroups_));
  for (const Hierarchy& hierarchy : cgroups_->hierarchies())
    begun_.cgroups.push_back(hierarchy.path + "/" + cgroups_->relative());
  begun_.unit = cgroups_->unit();
  if (spec_.linux_.intel_rdt) TRY(plan_rdt(*spec_.linux_.intel_rdt));
  if (cgroups_->is_made_before_init()) {
    TRY(tell_begun());
    TRY(make_cgroups());
  }
  TRY(clone_init(init_end));
  begun_.pid = pid_;
  TRY(tell_begun());
  auto admitted = admit();
  // If init is gone, what it said is the reason, not that it could not be found.
  if (!admitted.ok() && !sys::has_ended(pidfd_.get())) return admitted;
  return wait_until_ready();
}

// Nothing is allowed but what the spec and the default nodes say: a spec without rules has no
// devices of the host. systemd makes a unit with all of its limits, and that of a user cannot limit
// devices; no node can be made then that is not there already.
Result<void> LinuxContainer::open_manager() {
  limits_ = with_default_devices(spec_.linux_.resources);
  if (options_.systemd_cgroup && !sys::is_host_root()) limits_.devices.clear();

  const CgroupLayout layout = TRY(detect_cgroups());
  without_cgroups_ = !options_.systemd_cgroup && goes_without_cgroups(layout);
  if (without_cgroups_)
    cgroups_ = TRY(adopt_cgroups({}));
  else if (options_.systemd_cgroup)
    cgroups_ = TRY(open_systemd_cgroups(layout, spec_, options_.id, limits_));
  else
    cgroups_ =
        TRY(open_cgroups(layout, cgroup_path_of(spec_.linux_.cgroups_path, options_.id), limits_));
  return {};
}

Result<void> LinuxContainer::tell_begun() const {
  return options_.on_begun ? options_.on_begun(begun_) : Result<void>();
}

Result<void> LinuxContainer::plan_rdt(const IntelRdt& rdt) {
  RdtGroups groups(rdt, options_.id, TRY(find_resctrl()));
  TRY(groups.check(rdt));
  begun_.rdt_groups = groups.own();
  rdt_ = std::move(groups);
  return {};
}

// A user who may not make cgroups, and asks for nothing that needs them, gets a container without.
bool LinuxContainer::goes_without_cgroups(const CgroupLayout& layout) const {
  Resources limits = spec_.linux_.resources;
  limits.devices.clear();  // without privileges no node can be made that is not there already
  return ::geteuid() != 0 && spec_.linux_.cgroups_path.empty() && limits == Resources{} &&
         std::ranges::any_of(layout.hierarchies, [](const Hierarchy& hierarchy) {
           return ::access(hierarchy.path.c_str(), W_OK) != 0;
         });
}

Result<void> LinuxContainer::make_cgroups() {
  if (without_cgroups_) return {};
  TRY(cgroups_->create(pid_));
  return cgroups_->apply(limits_);
}

Result<void> LinuxContainer::clone_init(UniqueFd& init_end) {
  const sys::CloneRequest request{.flags = plan_->namespaces.clone_flags,
                                  .cgroup = cgroups_->clone_directory(),
                                  .pid_namespace = plan_->namespaces.join_pid.get()};
  auto cloned = plan_->namespaces.owner.valid() ? clone_owned(plan_->namespaces, request)
                                                : sys::clone_process(request);
  if (cloned.ok() && cloned->pid == 0) {
    ::close(channel_.get());
    run_init(*plan_, init_end.get());
  }
  if (!cloned.ok()) return std::move(cloned).error().context("cannot start the container's init");
  plan_->mapped.close();
  plan_->rootfs.premade.clear();
  pid_ = cloned->pid;
  pidfd_ = std::move(cloned->pidfd);
  phase_ = Phase::kCreated;
  init_end.reset();
  return {};
}

// What the parent does for init while that builds its file systems.
Result<void> LinuxContainer::admit() {
  if (plan_->namespaces.new_user) {
    TRY(write_id_maps(pid_, spec_.linux_.uid_mappings, spec_.linux_.gid_mappings));
    send_message(channel_.get(), {.word = Word::kMapped});
  }
  TRY(write_hook_input());
  TRY(grant_oom_score(pid_, spec_.process));
  if (plan_->namespaces.new_user || plan_->namespaces.owner.valid())
    TRY(grant_hard_limits(pid_, plan_->identity));
  if (!cgroups_->is_made_before_init()) TRY(make_cgroups());
  if (rdt_) {
    TRY(rdt_->create(*spec_.linux_.intel_rdt));
    TRY(rdt_->admit(pid_));
  }
  const std::vector<UniqueFd> entrances = TRY(cgroups_->entrances());
  std::vector<int> descriptors;
  for (const UniqueFd& entrance : entrances) descriptors.push_back(entrance.get());
  if (!send_message(channel_.get(), {.word = Word::kCgroup}, descriptors) && errno != EPIPE)
    return fail_errno("cannot tell init its cgroups");
  return {};
}

Result<void> LinuxContainer::write_hook_input() const {
  const auto write = [](const UniqueFd& file, const std::string& text) -> Result<void> {
    if (::pwrite(file.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
      return fail_errno("cannot write the hooks' input");
    return {};
  };
  const HooksPlan& hooks = plan_->hooks;
  if (hooks.create_state.valid()) TRY(write(hooks.create_state, state("creating")));
  if (hooks.start_state.valid()) TRY(write(hooks.start_state, state("created")));
  TRY(write_process_state(plan_->execute.notify, pid_, state("created")));
  plan_->execute.notify.close();
  return {};
}

Result<void> LinuxContainer::wait_until_ready() {
  for (;;) {
    Message message;
    Descriptors descriptors;
    if (!receive_message(channel_.get(), message, descriptors)) {
      const int error = errno;
      TRY(network_.finish());
      if (error == 0)
        return fail(ErrorKind::kInternal, "init ended before the container was made (killed?)");
      return Error::from_errno(error, "cannot hear from init");
    }
    UniqueFd received(descriptors.count == 1 ? descriptors.fds[0] : -1);
    switch (message.word) {
      case Word::kConsole:
        console_ = std::move(received);
        break;
      case Word::kRoot:
        begun_.root = TRY(identify_root(received.get(), pid_));
        TRY(tell_begun());
        send_message(channel_.get(), {.word = Word::kRootNoted});
        break;
      case Word::kNamespaces:
        TRY(move_net_devices(spec_.linux_.net_devices, pid_));
        TRY(run_hooks(spec_.hooks.prestart, "prestart", state("creating")));
        TRY(run_hooks(spec_.hooks.create_runtime, "createRuntime", state("creating")));
        send_message(channel_.get(), {.word = Word::kHooksDone});
        break;
      case Word::kReady:
        return network_.finish();
      case Word::kFailed:
        TRY(network_.finish());
        return describe_failure(message.failure, *plan_);
      default:
        return fail(ErrorKind::kInternal, "init said {} out of turn",
                    static_cast<int>(message.word));
    }
  }
}

Result<void> LinuxContainer::start() {
  if (phase_ != Phase::kCreated)
    return fail(ErrorKind::kConflict, "the container is not waiting to be started");
  phase_ = Phase::kStarted;
  TRY(start_remotely(channel_.get(), spec_.process.args[0]));
  channel_.reset();
  if (const Failure failure = plan_->report.read(); failure.step != Step::kNone)
    return describe_start_failure(failure, spec_.process.args[0]);
  // A failing poststart hook is logged and no more: runtime.md, "Lifecycle", step 9.
  if (auto ran = run_hooks(spec_.hooks.poststart, "poststart", state("running")); !ran.ok())
    log::warning("{}: {}", options_.id, ran.error().message());
  return {};
}

void LinuxContainer::release() {
  // If init is gone already, that is for whoever looks at the container next.
  if (phase_ == Phase::kCreated) send_message(channel_.get(), {.word = Word::kReleased});
  phase_ = Phase::kReleased;
}

Result<void> LinuxContainer::signal(int signal, bool all) {
  return all ? cgroups_->signal_all(signal) : sys::signal_process(pidfd_.get(), signal);
}

Result<void> LinuxContainer::destroy() {
  if (phase_ == Phase::kDestroyed) return {};
  const bool existed = phase_ != Phase::kNone;
  (void)network_.finish();  // its thread uses the channel
  channel_.reset();
  if (pidfd_.valid()) {
    (void)sys::signal_process(pidfd_.get(), SIGKILL);  // it may have ended
    // On v1 nobody dies frozen, and another process may have paused the container.
    const bool waits = cgroups_ && !sys::has_ended(pidfd_.get());
    if (waits && cgroups_->version() == CgroupVersion::kV1) (void)cgroups_->freeze(false);
    TRY(wait_until_ended(pidfd_.get(), kill_deadline()));
    (void)sys::wait_process(pidfd_.get());  // and been reaped
  }
  // One that fails is no reason to leave the others.
  Result<void> gone = cgroups_ ? cgroups_->destroy() : Result<void>();
  if (auto done = remove_rdt_groups(begun_.rdt_groups); gone.ok()) gone = std::move(done);
  if (begun_.root.mount != 0)
    if (auto done = remove_shared_root(spec_, begun_.root); gone.ok()) gone = std::move(done);
  TRY(std::move(gone));
  phase_ = Phase::kDestroyed;
  if (!existed) return {};
  if (auto ran = run_hooks(spec_.hooks.poststop, "poststop", state("stopped")); !ran.ok())
    log::warning("{}: {}", options_.id, ran.error().message());
  return {};
}

}  // namespace

Result<std::unique_ptr<Container>> Container::create(Spec spec, const CreateOptions& options) {
  TRY(check_id(options.id));
  TRY(validate(spec));
  if (!options.bundle.starts_with('/'))
    return fail(ErrorKind::kInvalid, "the bundle must be an absolute path, not '{}'",
                options.bundle);
  TRY(check_streams(options.stdio, options.preserved_fds));
  auto container = std::make_unique<LinuxContainer>(std::move(spec), options);
  TRY(container->build(options.stdio));  // on failure its destructor undoes what was made
  return std::unique_ptr<Container>(std::move(container));
}

Result<void> check_id(const std::string& id) {
  constexpr std::string_view kAllowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+.-";
  if (id.empty() || id.size() > kMaxIdLength || id == "." || id == ".." ||
      id.find_first_not_of(kAllowed) != std::string::npos)
    return fail(ErrorKind::kInvalid,
                "'{}' is not a container id: use letters, digits, '_', '+', '.' and '-'", id);
  return {};
}

Result<void> start_remotely(int connection, const std::string& program) {
  if (!send_message(connection, {.word = Word::kStart}))
    return fail_errno("cannot reach the container's init");
  UniqueFd report;
  Message message;
  Descriptors descriptors;
  while (receive_message(connection, message, descriptors)) {
    UniqueFd received(descriptors.count == 1 ? descriptors.fds[0] : -1);
    if (message.word == Word::kFailed) return describe_start_failure(message.failure, program);
    if (message.word != Word::kReport || report.valid())
      return fail(ErrorKind::kInternal, "init said {} out of turn", static_cast<int>(message.word));
    report = std::move(received);
  }
  if (errno != 0) return fail_errno("cannot hear from the container's init");
  if (!report.valid()) return {};
  const Failure failure = Report::read_from(report.get());
  if (failure.step != Step::kNone) return describe_start_failure(failure, program);
  return {};
}

}  // namespace berth::container
