#include "api/docker/container_filter.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "api/docker/until_filter.h"
#include "api/docker/wire/event.h"
#include "api/docker/wire/ports.h"

namespace berth::docker {
namespace {

using engine::WorkloadState;
using engine::WorkloadView;

constexpr std::array<std::string_view, 7> kStates = {"created",  "running", "paused", "restarting",
                                                     "removing", "exited",  "dead"};

// "80", "80/udp", "8000-8080/tcp".
struct PortFilter {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
  std::string_view protocol;

  bool holds(const OrderedJson& port, const char* member) const {
    const auto number = port.value(member, 0);
    return number >= first && number <= last && port.value("Type", "") == protocol;
  }
};

Result<PortFilter> parse_port_filter(std::string_view key, std::string_view value) {
  const std::size_t slash = value.find('/');
  const std::string_view range = value.substr(0, slash);
  const std::size_t dash = range.find('-');
  const auto parse = [](std::string_view text, std::uint16_t& port) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return !text.empty() && error == std::errc() && end == text.data() + text.size();
  };
  PortFilter filter;
  filter.protocol = slash == std::string_view::npos ? "tcp" : value.substr(slash + 1);
  const bool numbers =
      parse(range.substr(0, dash), filter.first) &&
      parse(dash == std::string_view::npos ? range : range.substr(dash + 1), filter.last);
  const bool known =
      filter.protocol == "tcp" || filter.protocol == "udp" || filter.protocol == "sctp";
  if (!numbers || !known || filter.first > filter.last)
    return fail(
        ErrorKind::kInvalid,
        "invalid filter '{}={}': it is a port or a range of ports, with /tcp, /udp or /sctp", key,
        value);
  return filter;
}

Result<void> check_values(const Filters& filters) {
  TRY(filters.accept_only({"id", "name", "label", "status", "ancestor", "exited", "network",
                           "volume", "before", "since", "health", "is-task", "isolation", "publish",
                           "expose"}));
  for (const char* key : {"publish", "expose"}) {
    for (const std::string& value : filters.get(key)) TRY(parse_port_filter(key, value));
  }
  for (const std::string& state : filters.get("status")) {
    if (std::ranges::find(kStates, state) == kStates.end())
      return fail(ErrorKind::kInvalid,
                  "invalid value for state ({}): must be one of created, running, paused, "
                  "restarting, removing, exited, or dead",
                  state);
  }
  for (const std::string& code : filters.get("exited")) {
    int number = 0;
    const auto [end, error] = std::from_chars(code.data(), code.data() + code.size(), number);
    if (error != std::errc() || end != code.data() + code.size())
      return fail(ErrorKind::kInvalid, "invalid filter 'exited={}': not an exit code", code);
  }
  return {};
}

// Docker takes the two filters as one: a container is listed if any port of it answers to either.
bool has_port(const WorkloadView& view, const Filters& filters) {
  if (!filters.has("publish") && !filters.has("expose")) return true;
  const OrderedJson ports = port_list_json(view);
  const auto answers = [&](const char* key, const char* member) {
    return std::ranges::any_of(filters.get(key), [&](const std::string& value) {
      const auto filter = parse_port_filter(key, value);
      return filter.ok() && std::ranges::any_of(ports, [&](const OrderedJson& port) {
               return filter->holds(port, member);
             });
    });
  };
  return answers("publish", "PublicPort") || answers("expose", "PrivatePort");
}

// The part of Docker's regular expressions that users write: a text, "^" and "$" at its ends, and
// the slash that names have inside Docker.
bool name_matches(const std::string& name, std::string_view pattern) {
  const bool at_start = pattern.starts_with('^');
  if (at_start) pattern.remove_prefix(1);
  const bool at_end = pattern.ends_with('$');
  if (at_end) pattern.remove_suffix(1);
  if (pattern.starts_with("/?")) pattern.remove_prefix(2);
  if (pattern.starts_with('/')) pattern.remove_prefix(1);
  if (at_start && at_end) return name == pattern;
  if (at_start) return name.starts_with(pattern);
  if (at_end) return name.ends_with(pattern);
  return name.find(pattern) != std::string::npos;
}

template <typename Predicate>
bool any_value(const Filters& filters, std::string_view key, Predicate predicate) {
  return !filters.has(key) || std::ranges::any_of(filters.get(key), predicate);
}

// "busybox", "busybox:latest", an image id, or the start of one.
bool is_ancestor(const WorkloadView& view, std::string_view wanted) {
  const std::string& image = view.config.image;
  if (image == wanted || fmt::format("{}:latest", wanted) == image ||
      fmt::format("{}:latest", image) == wanted)
    return true;
  std::string_view id = view.image_id;
  if (id.starts_with(wanted)) return !wanted.empty();
  if (id.starts_with("sha256:")) id.remove_prefix(7);
  return !wanted.empty() && id.starts_with(wanted);
}

bool uses_volume(const WorkloadView& view, const std::string& wanted) {
  return std::ranges::any_of(view.mounts, [&](const engine::MountPoint& mount) {
    return mount.name == wanted || mount.destination == wanted;
  });
}

bool on_network(const WorkloadView& view, const std::string& wanted) {
  if (view.config.network_mode == wanted) return true;
  return view.status.endpoint && (view.status.endpoint->network_name == wanted ||
                                  view.status.endpoint->network.str().starts_with(wanted));
}

bool matches(const WorkloadView& view, const Filters& filters) {
  const bool exited = view.status.state == WorkloadState::kExited;
  return any_value(filters, "id",
                   [&](const std::string& id) { return view.id.str().starts_with(id); }) &&
         any_value(filters, "name",
                   [&](const std::string& name) { return name_matches(view.name, name); }) &&
         filters.matches("status", to_string(view.status.state)) &&
         (!filters.has("exited") ||
          (exited && filters.matches("exited", std::to_string(view.status.exit_code)))) &&
         any_value(filters, "ancestor",
                   [&](const std::string& image) { return is_ancestor(view, image); }) &&
         any_value(filters, "volume",
                   [&](const std::string& volume) { return uses_volume(view, volume); }) &&
         any_value(filters, "network",
                   [&](const std::string& network) { return on_network(view, network); }) &&
         has_port(view, filters) && filters.matches_labels("label", view.config.labels) &&
         filters.matches("health", "none") && filters.matches("is-task", "false") &&
         filters.matches("isolation", "default");
}

// The container that `before` or `since` names.
Result<const WorkloadView*> find_anchor(const std::vector<WorkloadView>& views,
                                        const Filters& filters, std::string_view key) {
  if (!filters.has(key) || filters.get(key).empty()) return nullptr;
  const std::string& wanted = filters.get(key).front();
  for (const WorkloadView& view : views) {
    if (view.name == wanted || view.id.str().starts_with(wanted)) return &view;
  }
  return fail(ErrorKind::kNotFound, "No such container: {}", wanted);
}

}  // namespace

Result<std::vector<WorkloadView>> select_containers(std::vector<WorkloadView> views,
                                                    const ListOptions& options) {
  const Filters& filters = options.filters;
  TRY(check_values(filters));
  const WorkloadView* before = TRY(find_anchor(views, filters, "before"));
  const WorkloadView* since = TRY(find_anchor(views, filters, "since"));
  // Asking for a state, or for the newest so many, means also those that do not run.
  const bool all = options.all || options.limit > 0 || filters.has("status");
  std::vector<WorkloadView> selected;
  for (const WorkloadView& view : views) {
    if (!all && view.status.state != WorkloadState::kRunning) continue;
    if (before != nullptr && view.created >= before->created) continue;
    if (since != nullptr && view.created <= since->created) continue;
    if (!matches(view, filters)) continue;
    if (options.limit > 0 && std::ssize(selected) == options.limit) break;
    selected.push_back(view);
  }
  return selected;
}

Result<std::vector<WorkloadView>> select_for_prune(std::vector<WorkloadView> views,
                                                   const Filters& filters, WallTime at) {
  TRY(filters.accept_only({"until", "label", "label!"}));
  WallTime until = at;
  if (!filters.get("until").empty()) until = TRY(parse_until(filters.get("until").front(), at));
  std::erase_if(views, [&](const WorkloadView& view) {
    const WorkloadState state = view.status.state;
    const bool idle = state == WorkloadState::kExited || state == WorkloadState::kCreated;
    const bool spared =
        filters.has("label!") && filters.matches_labels("label!", view.config.labels);
    return !idle || spared || view.created > until ||
           !filters.matches_labels("label", view.config.labels);
  });
  return views;
}

}  // namespace berth::docker
