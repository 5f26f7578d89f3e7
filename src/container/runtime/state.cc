#include "container/runtime/state.h"

#include "container/spec/json_writer.h"
#include "container/spec/spec.h"

namespace berth::container {

std::string to_json(const OciState& state) {
  JsonWriter out;
  const auto text = [&](std::string_view name, std::string_view value) {
    out.key(name);
    out.write(value);
  };
  out.begin_object();
  text("ociVersion", kOciVersion);
  text("id", state.id);
  text("status", state.status);
  if (state.pid > 0) {
    out.key("pid");
    out.write(state.pid);
  }
  text("bundle", state.bundle);
  if (!state.annotations.empty()) {
    out.key("annotations");
    out.begin_object();
    for (const auto& [name, value] : state.annotations) text(name, value);
    out.end_object();
  }
  out.end_object();
  return out.take();
}

}  // namespace berth::container
