// ContainerState: what `state` and `list` say of a container as JSON: the specification's state
// with runc's additions.
#pragma once

#include <string_view>

#include "berth-runtime/store.h"
#include "container/spec/json_writer.h"

namespace berth::runtime {

/// `owner`: the user whose container it is; `state` leaves it empty.
void write_state(container::JsonWriter& out, const Store& store, const Record& record,
                 Status status, std::string_view owner);

}  // namespace berth::runtime
