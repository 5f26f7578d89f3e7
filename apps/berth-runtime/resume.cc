// berth-runtime resume <id>: lets a paused container run again.
#include "berth-runtime/launch.h"
#include "container/cgroup/manager.h"

namespace berth::runtime {

Result<int> resume(const Globals& globals, Words words) {
  const std::string id = TRY(single_id(TRY(Flags().parse(words)), "resume"));
  const Store store(globals.root);
  const Record record = TRY(store.load(id));
  if (store.status(record) != Status::kPaused)
    return fail(ErrorKind::kConflict, "container not paused");
  TRY(TRY(container::adopt_cgroups(record.cgroups))->freeze(false));
  return 0;
}

}  // namespace berth::runtime
