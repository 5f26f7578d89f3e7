// berth-runtime run [flags] <id>: create and start; in the foreground also wait, and delete.
#include "base/log.h"
#include "berth-runtime/exit_code.h"
#include "berth-runtime/foreground.h"
#include "berth-runtime/launch.h"

namespace berth::runtime {

Result<int> run(const Globals& globals, Words words) {
  LaunchOptions options;
  Flags flags;
  add_launch_flags(flags, options);
  flags.add("detach", 'd', &options.detach);
  flags.add("keep", 0, &options.keep);
  const std::string id = TRY(single_id(TRY(flags.parse(words)), "run"));

  // Signals from here on are for the container, once there is one.
  Foreground foreground;
  if (!options.detach) TRY(foreground.catch_signals());
  const Launched launched = TRY(launch(globals, options, id, false));
  const Store store(globals.root);
  if (auto started = launched.container->start(); !started.ok()) {
    // The reason is what the caller waits for. What cannot be removed keeps its record.
    if (auto gone = launched.container->destroy(); gone.ok())
      TRY(store.forget(id));
    else
      log::warning("{}: {}", id, gone.error().message());
    return start_failed(started.error());
  }
  if (options.detach) return 0;
  const int code = TRY(foreground.wait(launched.container->pidfd(), launched.console.get()));
  if (options.keep) {
    launched.container->release();
    return code;
  }
  TRY(launched.container->destroy());
  TRY(store.forget(id));
  return code;
}

}  // namespace berth::runtime
