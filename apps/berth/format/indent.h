// JSON text laid out for people. The text itself is kept: order of members, numbers and escapes are
// the engine's.
#pragma once

#include <string>
#include <string_view>

namespace berth::cli {

/// `json` must be valid. Four spaces a level, as docker inspect; empty objects and lists stay
/// closed.
std::string indent_json(std::string_view json);

}  // namespace berth::cli
