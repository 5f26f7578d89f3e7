// berth-runtime start <id>: lets a created container exec.
#include "base/log.h"
#include "berth-runtime/exit_code.h"
#include "berth-runtime/launch.h"
#include "container/isolate/hooks.h"
#include "container/runtime/state.h"

namespace berth::runtime {

Result<int> start(const Globals& globals, Words words) {
  const std::string id = TRY(single_id(TRY(Flags().parse(words)), "start"));
  const Store store(globals.root);
  const Record record = TRY(store.load(id));
  switch (store.status(record)) {
    case Status::kCreated:
      break;
    case Status::kCreating:
      return fail(ErrorKind::kConflict, "cannot start a container that is still being created");
    case Status::kPaused:
      return fail(ErrorKind::kConflict, "cannot start a container in the paused state");
    case Status::kStopped:
      return fail(ErrorKind::kConflict, "cannot start a container that has stopped");
    default:
      return fail(ErrorKind::kConflict, "cannot start an already running container");
  }
  const UniqueFd connection = TRY(store.connect_to_start(id));
  store.mark_started(id);
  if (auto started = container::start_remotely(connection.get(), record.program); !started.ok())
    return start_failed(std::move(started).error());
  const auto spec = store.spec(id);
  if (!spec.ok() || spec->hooks.poststart.empty()) return 0;
  const container::OciState state{.id = id,
                                  .status = "running",
                                  .pid = record.pid,
                                  .bundle = record.bundle,
                                  .annotations = spec->annotations};
  if (auto ran =
          container::run_hooks(spec->hooks.poststart, "poststart", container::to_json(state));
      !ran.ok())
    log::warning("{}", ran.error().message());
  return 0;
}

}  // namespace berth::runtime
