#include "api/docker/wire/container_view.h"

#include "api/docker/wire/container_config.h"
#include "api/docker/wire/durations.h"
#include "api/docker/wire/host_config.h"
#include "api/docker/wire/mounts.h"
#include "api/docker/wire/network.h"
#include "api/docker/wire/ports.h"

namespace berth::docker {
namespace {

using engine::WorkloadState;
using engine::WorkloadStatus;
using engine::WorkloadView;

std::string time_text(const std::optional<WallTime>& time) {
  return time ? format_rfc3339(*time) : std::string(kZeroTime);
}

// As a user would have typed it, nearly: words with blanks are quoted.
std::string command_text(const WorkloadView& view) {
  std::string text = view.path;
  for (const std::string& word : view.args) {
    const bool quote = word.find(' ') != std::string::npos;
    text += quote ? fmt::format(" '{}'", word) : " " + word;
  }
  return text;
}

OrderedJson state_json(const WorkloadStatus& status) {
  return {{"Status", to_string(status.state)},
          {"Running", status.state == WorkloadState::kRunning},
          {"Paused", false},
          {"Restarting", false},
          {"OOMKilled", status.oom_killed},
          {"Dead", false},
          {"Pid", status.pid},
          {"ExitCode", status.exit_code},
          {"Error", status.error},
          {"StartedAt", time_text(status.started_at)},
          {"FinishedAt", time_text(status.finished_at)}};
}

OrderedJson mounts_json(const WorkloadView& view) {
  OrderedJson mounts = OrderedJson::array();
  for (const engine::MountPoint& mount : view.mounts) mounts.push_back(mount_point_json(mount));
  return mounts;
}

}  // namespace

std::string status_text(const WorkloadStatus& status, WallTime at) {
  switch (status.state) {
    case WorkloadState::kRunning:
      return "Up " + human_duration(at - status.started_at.value_or(at));
    case WorkloadState::kExited:
      return fmt::format("Exited ({}) {} ago", status.exit_code,
                         human_duration(at - status.finished_at.value_or(at)));
    case WorkloadState::kRemoving:
      return "Removal In Progress";
    case WorkloadState::kCreated:
    case WorkloadState::kStarting:
      break;
  }
  return "Created";
}

OrderedJson container_summary_json(const WorkloadView& view, WallTime at) {
  OrderedJson json;
  json["Id"] = view.id.str();
  json["Names"] = {"/" + view.name};
  json["Image"] = view.config.image;
  json["ImageID"] = view.image_id;
  json["Command"] = command_text(view);
  json["Created"] =
      std::chrono::duration_cast<std::chrono::seconds>(view.created.time_since_epoch()).count();
  json["Ports"] = port_list_json(view);
  json["Labels"] = view.config.labels;
  json["State"] = to_string(view.status.state);
  json["Status"] = status_text(view.status, at);
  json["HostConfig"] = {{"NetworkMode", view.config.network_mode}};
  json["NetworkSettings"] = {{"Networks", endpoints_json(view)}};
  json["Mounts"] = mounts_json(view);
  return json;
}

OrderedJson container_inspect_json(const WorkloadView& view, const std::string& storage_driver) {
  OrderedJson json;
  json["Id"] = view.id.str();
  json["Created"] = format_rfc3339(view.created);
  json["Path"] = view.path;
  json["Args"] = view.args;
  json["State"] = state_json(view.status);
  json["Image"] = view.image_id;
  json["ResolvConfPath"] = view.resolv_conf_path;
  json["HostnamePath"] = view.hostname_path;
  json["HostsPath"] = view.hosts_path;
  json["LogPath"] = view.log_path;
  json["Name"] = "/" + view.name;
  json["RestartCount"] = 0;
  json["Driver"] = storage_driver;
  json["Platform"] = "linux";
  json["MountLabel"] = "";
  json["ProcessLabel"] = "";
  json["AppArmorProfile"] = "";
  json["ExecIDs"] = nullptr;
  json["HostConfig"] = host_config_json(view.config);
  json["GraphDriver"] = {{"Data", nullptr}, {"Name", storage_driver}};
  json["Mounts"] = mounts_json(view);
  json["Config"] = container_config_json(view.config);
  json["NetworkSettings"] = network_settings_json(view);
  return json;
}

}  // namespace berth::docker
