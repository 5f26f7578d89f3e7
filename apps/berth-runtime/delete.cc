// berth-runtime delete [--force] <id>...: removes what is left of stopped containers; with --force,
// of any.
#include <signal.h>

#include "berth-runtime/exit_code.h"
#include "berth-runtime/launch.h"
#include "berth-runtime/remains.h"
#include "container/cgroup/ending.h"
#include "container/cgroup/manager.h"
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
  return remove_remains(store, *record);
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
