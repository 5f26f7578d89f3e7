// berth-runtime delete [--force] <id>...: removes what is left of stopped containers; with --force,
// of any.
#include <signal.h>
#include <unistd.h>

#include "base/log.h"
#include "berth-runtime/exit_code.h"
#include "berth-runtime/launch.h"
#include "container/cgroup/ending.h"
#include "container/cgroup/manager.h"
#include "container/isolate/hooks.h"
#include "container/isolate/rootfs.h"
#include "container/resctrl/groups.h"
#include "container/runtime/state.h"
#include "container/systemd/cgroups.h"
#include "sys/process.h"

namespace berth::runtime {
namespace {

Result<void> kill_and_wait(const Store& store, const Record& record) {
  const auto pidfd = sys::open_pidfd(record.pid);
  if (!pidfd.ok() || store.status(record) == Status::kStopped) return {};
  TRY(sys::signal_process(pidfd->get(), SIGKILL));
  // Nobody dies frozen on v1. What is being made has not been paused, and its cgroups may be
  // another's.
  if (!record.creating) TRY(TRY(container::adopt_cgroups(record.cgroups))->freeze(false));
  return container::wait_until_ended(pidfd->get(), container::kill_deadline());
}

// A scope without processes is going already; a slice has to be told.
Result<void> discard_unit(container::CgroupManager& cgroups) {
  const auto left = cgroups.processes();
  if (left.ok() && !left->empty())
    return fail(ErrorKind::kConflict, "the unit {} has processes of somebody else's",
                cgroups.unit());
  return cgroups.destroy();
}

// Of a container whose making was cut short the cgroups may have been made, or be somebody else's:
// they are removed if nothing is in them, and nothing is killed.
Result<void> remove_cgroups(const Record& record) {
  const auto cgroups = TRY(container::adopt_cgroups_of(record.unit, record.cgroups));
  if (!record.creating) return cgroups->destroy();
  if (!record.unit.empty()) return discard_unit(*cgroups);
  for (const std::string& path : record.cgroups)
    if (::rmdir(path.c_str()) != 0 && errno != ENOENT)
      return fail_errno("cannot remove the cgroup {}", path);
  return {};
}

void run_poststop(const Store& store, const Record& record) {
  const auto spec = store.spec(record.id);
  if (!spec.ok() || spec->hooks.poststop.empty()) return;
  const container::OciState state{.id = record.id,
                                  .status = "stopped",
                                  .pid = 0,
                                  .bundle = record.bundle,
                                  .annotations = spec->annotations};
  if (auto ran = container::run_hooks(spec->hooks.poststop, "poststop", container::to_json(state));
      !ran.ok())
    log::warning("{}", ran.error().message());
}

Result<void> remove_one(const Store& store, const std::string& id, bool force) {
  TRY(container::check_id(id));
  auto record = store.load(id);
  if (!record.ok()) {
    if (!force || record.error().kind() != ErrorKind::kNotFound) return std::move(record).error();
    // No such container is what was wanted. A directory without a record is what a killed `create`
    // leaves.
    if (store.exists(id)) TRY(store.forget(id));
    return {};
  }
  const Status status = store.status(*record);
  if (status != Status::kStopped && status != Status::kCreated && !force)
    return fail(ErrorKind::kConflict, "cannot delete container {} that is not stopped: {}", id,
                to_string(status));
  TRY(kill_and_wait(store, *record));
  TRY(remove_cgroups(*record));
  TRY(container::remove_rdt_groups(record->rdt_groups));
  if (record->root_mount != 0)
    TRY(container::remove_shared_root(TRY(store.spec(id)), record->rootfs, record->root_mount));
  run_poststop(store, *record);
  return store.forget(id);
}

}  // namespace

Result<int> remove(const Globals& globals, Words words) {
  bool force = false;
  Flags flags;
  flags.add("force", 'f', &force);
  const auto ids = TRY(flags.parse(words));
  if (ids.empty()) return fail(ErrorKind::kInvalid, "delete needs the ids of containers");
  const Store store(globals.root);
  int code = 0;
  for (const std::string& id : ids)
    if (auto removed = remove_one(store, id, force); !removed.ok()) {
      // One that stays is no reason to keep the others.
      report(removed.error());
      code = kExitFailure;
    }
  return code;
}

}  // namespace berth::runtime
