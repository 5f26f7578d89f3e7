// berth-runtime state <id>: the container's state as JSON, with runc's additions to the
// specification's.
#include "berth-runtime/launch.h"
#include "container/spec/json_writer.h"

namespace berth::runtime {

Result<int> state(const Globals& globals, Words words) {
  const std::string id = TRY(single_id(TRY(Flags().parse(words)), "state"));
  const Store store(globals.root);
  const Record record = TRY(store.load(id));
  const Status status = store.status(record);
  container::JsonWriter out(2);
  const auto text = [&](std::string_view name, std::string_view value) {
    out.key(name);
    out.write(value);
  };
  out.begin_object();
  text("ociVersion", container::kOciVersion);
  text("id", record.id);
  out.key("pid");
  out.write(status == Status::kStopped ? 0 : record.pid);
  text("status", to_string(status));
  text("bundle", record.bundle);
  text("rootfs", record.rootfs);
  text("created", record.created);
  if (const auto spec = store.spec(id); spec.ok() && !spec->annotations.empty()) {
    out.key("annotations");
    out.begin_object();
    for (const auto& [name, value] : spec->annotations) text(name, value);
    out.end_object();
  }
  text("owner", "");
  out.end_object();
  fmt::print("{}\n", out.take());
  return 0;
}

}  // namespace berth::runtime
