// berth-runtime create [flags] <id>: a container that waits for `start`.
#include "berth-runtime/launch.h"

namespace berth::runtime {

Result<int> create(const Globals& globals, Words words) {
  LaunchOptions options;
  Flags flags;
  add_launch_flags(flags, options);
  const std::string id = TRY(single_id(TRY(flags.parse(words)), "create"));
  const Launched launched = TRY(launch(globals, options, id, true));
  launched.container->release();
  return 0;
}

}  // namespace berth::runtime
