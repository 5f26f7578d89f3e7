#include "engine/commit_config.h"

#include <algorithm>
#include <string_view>

namespace berth::engine {
namespace {

std::string_view name_of(std::string_view assignment) {
  return assignment.substr(0, assignment.find('='));
}

void add_missing(std::vector<std::string>& list, const std::vector<std::string>& more) {
  for (const std::string& item : more)
    if (std::ranges::find(list, item) == list.end()) list.push_back(item);
}

void fill_in(std::string& text, const std::string& fallback) {
  if (text.empty()) text = fallback;
}

}  // namespace

image::ImageConfig image_config_of(const WorkloadConfig& config) {
  return {.entrypoint = config.entrypoint.value_or(std::vector<std::string>()),
          .cmd = config.cmd,
          .env = config.env,
          .working_dir = config.working_dir,
          .user = config.user,
          .stop_signal = config.stop_signal,
          .labels = config.labels,
          .exposed_ports = config.exposed_ports,
          .volumes = config.volumes};
}

void fill_in_commit_config(image::ImageConfig& config, const image::ImageConfig& container) {
  if (config.entrypoint.empty()) {
    if (config.cmd.empty()) config.cmd = container.cmd;
    config.entrypoint = container.entrypoint;
  }
  for (const std::string& assignment : container.env) {
    const auto same = [&](const std::string& own) { return name_of(own) == name_of(assignment); };
    if (std::ranges::none_of(config.env, same)) config.env.push_back(assignment);
  }
  config.labels.insert(container.labels.begin(), container.labels.end());
  fill_in(config.working_dir, container.working_dir);
  fill_in(config.user, container.user);
  fill_in(config.stop_signal, container.stop_signal);
  add_missing(config.exposed_ports, container.exposed_ports);
  add_missing(config.volumes, container.volumes);
}

}  // namespace berth::engine
