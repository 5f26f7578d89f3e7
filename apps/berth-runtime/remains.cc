#include "berth-runtime/remains.h"

#include <unistd.h>

#include "base/log.h"
#include "container/cgroup/manager.h"
#include "container/isolate/hooks.h"
#include "container/isolate/shared_root.h"
#include "container/resctrl/groups.h"
#include "container/runtime/state.h"
#include "container/systemd/cgroups.h"

namespace berth::runtime {
namespace {

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
  if (!record.creating || record.owns_cgroups) return cgroups->destroy();
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

}  // namespace

Result<void> remove_remains(const Store& store, const Record& record) {
  // One that fails is no reason to leave the others; the record stays for those that do.
  Result<void> gone = remove_cgroups(record);
  if (auto done = container::remove_rdt_groups(record.rdt_groups); gone.ok())
    gone = std::move(done);
  if (record.root.mount != 0)
    if (auto done = container::remove_shared_root(TRY(store.spec(record.id)), record.root);
        gone.ok())
      gone = std::move(done);
  TRY(std::move(gone));
  run_poststop(store, record);
  return store.forget(record.id);
}

}  // namespace berth::runtime
