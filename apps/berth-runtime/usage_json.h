// A container's usage as runc's events show it: types/events.go is the format.
#pragma once

#include <optional>
#include <string>

#include "container/cgroup/usage.h"
#include "container/resctrl/usage.h"

namespace berth::runtime {

/// {"type":"stats","id":...,"data":{...}}, one line without its end.
std::string stats_event(const std::string& id, const container::Usage& usage,
                        const std::optional<container::RdtUsage>& rdt = {});
/// {"type":"oom","id":...}
std::string oom_event(const std::string& id);

}  // namespace berth::runtime
