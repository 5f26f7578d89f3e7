// berth-runtime state <id>: the container's state as JSON.
#include "berth-runtime/container_state.h"
#include "berth-runtime/launch.h"

namespace berth::runtime {

Result<int> state(const Globals& globals, Words words) {
  const std::string id = TRY(single_id(TRY(Flags().parse(words)), "state"));
  const Store store(globals.root);
  const Record record = TRY(store.load(id));
  container::JsonWriter out(2);
  write_state(out, store, record, store.status(record), "");
  fmt::print("{}\n", out.take());
  return 0;
}

}  // namespace berth::runtime
