// berth-runtime pause <id>: stops every process of the container where it is.
#include "berth-runtime/launch.h"
#include "container/cgroup/manager.h"

namespace berth::runtime {

Result<int> pause(const Globals& globals, Words words) {
  const std::string id = TRY(single_id(TRY(Flags().parse(words)), "pause"));
  const Store store(globals.root);
  const Record record = TRY(store.load(id));
  switch (store.status(record)) {
    case Status::kCreated:
    case Status::kRunning:
      break;
    case Status::kCreating:
      return fail(ErrorKind::kConflict, "cannot pause a container that is still being created");
    default:
      // Paused is not running either, as runc has it.
      return fail(ErrorKind::kConflict, "container not running");
  }
  TRY(TRY(container::adopt_cgroups(record.cgroups))->freeze(true));
  return 0;
}

}  // namespace berth::runtime
