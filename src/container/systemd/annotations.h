// Properties of the unit that config.json asks for by name: annotations
// "org.systemd.property.NAME", whose values are text in the form of GVariant. runc docs/systemd.md;
// "GVariant Text Format" of the GLib reference.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "container/systemd/properties.h"

namespace berth::container {

/// What begins the name of such an annotation.
inline constexpr std::string_view kPropertyAnnotation = "org.systemd.property.";

/// In the order of their names. A property in seconds is given in microseconds, as systemd takes
/// it: TimeoutStopSec is TimeoutStopUSec. kInvalid: a name that is none, or a value of another
/// form; the text names the annotation.
Result<std::vector<UnitProperty>> annotated_properties(
    const std::map<std::string, std::string>& annotations);

/// 'text', "text", true, 5 (an int32), 0.5, uint64 5, ['a', 'b'], @as []. kInvalid: anything else.
Result<BusValue> parse_property_value(std::string_view text);

}  // namespace berth::container
