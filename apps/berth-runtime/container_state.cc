#include "berth-runtime/container_state.h"

#include "berth-runtime/launch.h"

namespace berth::runtime {

void write_state(container::JsonWriter& out, const Store& store, const Record& record,
                 Status status, std::string_view owner) {
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
  if (const auto spec = store.spec(record.id); spec.ok() && !spec->annotations.empty()) {
    out.key("annotations");
    out.begin_object();
    for (const auto& [name, value] : spec->annotations) text(name, value);
    out.end_object();
  }
  text("owner", owner);
  out.end_object();
}

}  // namespace berth::runtime
