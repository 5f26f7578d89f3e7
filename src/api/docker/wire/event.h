// Events in Docker's form, and the moments that since and until name.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/docker/filters.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "engine/events.h"

namespace berth::docker {

OrderedJson event_json(const engine::Event& event);

/// Refuses filters that /events does not know.
Result<void> check_event_filters(const Filters& filters);
bool event_matches(const engine::Event& event, const Filters& filters);

/// "1700000000", "1700000000.123456789", or RFC 3339. "" and "0" name no moment.
Result<std::optional<WallTime>> parse_moment(std::string_view parameter, std::string_view text);

}  // namespace berth::docker
