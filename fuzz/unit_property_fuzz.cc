// Any text as what config.json says of a unit: the path of its cgroup, the value of a property. A
// value or an error that names what was meant.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "container/systemd/annotations.h"
#include "container/systemd/unit.h"

using namespace berth::container;  // NOLINT: every name is one of the module's

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto unit = unit_of(text, "c1", true);
  // What goes below the hierarchies must not lead out of them.
  if (unit.ok() && (unit->path.starts_with('/') || unit->path.find("..") == 0 ||
                    unit->path.find("/../") != std::string::npos || unit->name.empty()))
    std::abort();
  if (const auto value = parse_property_value(text); value.ok()) {
    BusWriter out;
    out.write_variant(*value);
  }
  return 0;
}
