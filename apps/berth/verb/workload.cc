#include "berth/verb/workload.h"

#include "base/json.h"

namespace berth::cli {

Result<Workload> inspect_workload(Client& client, std::string_view name) {
  Target target("/containers");
  const std::string body = TRY(client.call("GET", target.segment(name).then("/json")));
  const Json answer = TRY(parse_json(body).context("the engine's answer to inspect"));
  const Json nothing = Json::object();
  const auto part = [&](std::string_view key) -> const Json& {
    const Json* member = find_member(answer, key);
    return member ? *member : nothing;
  };
  Workload workload;
  workload.id = TRY(get_string(answer, "Id", std::string(name)));
  workload.tty = TRY(get_bool(part("Config"), "Tty"));
  workload.open_stdin = TRY(get_bool(part("Config"), "OpenStdin"));
  workload.auto_remove = TRY(get_bool(part("HostConfig"), "AutoRemove"));
  workload.running = TRY(get_bool(part("State"), "Running"));
  workload.paused = TRY(get_bool(part("State"), "Paused"));
  workload.restarting = TRY(get_bool(part("State"), "Restarting"));
  return workload;
}

}  // namespace berth::cli
