// What several verbs ask of a workload before they act on it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "berth/client/client.h"

namespace berth::cli {

struct Workload {
  std::string id;
  bool tty = false;
  bool open_stdin = false;
  bool auto_remove = false;
  bool running = false;
  bool paused = false;
  bool restarting = false;
};

/// GET /containers/<name>/json. kNotFound: there is none.
Result<Workload> inspect_workload(Client& client, std::string_view name);

}  // namespace berth::cli
