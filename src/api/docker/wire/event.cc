#include "api/docker/wire/event.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace berth::docker {
namespace {

using engine::Event;

std::string attribute(const Event& event, const std::string& key) {
  const auto found = event.attributes.find(key);
  return found == event.attributes.end() ? std::string() : found->second;
}

// True unless the filter named after a type of thing asks for other things than the event's. An id
// may be cut short.
bool matches_thing(const Event& event, const Filters& filters, std::string_view type) {
  if (!filters.has(type)) return true;
  if (event.type != type) return false;
  return std::ranges::any_of(filters.get(type), [&](const std::string& wanted) {
    return (!wanted.empty() && event.actor.starts_with(wanted)) ||
           wanted == attribute(event, "name");
  });
}

// "registry:5000/busybox:1.36" -> "registry:5000/busybox".
std::string_view repository_of(std::string_view image) {
  image = image.substr(0, image.find('@'));
  const std::size_t slash = image.rfind('/');
  const std::size_t colon = image.rfind(':');
  const bool tagged =
      colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash);
  return tagged ? image.substr(0, colon) : image;
}

// An image event names its image; a container's, the image it was made of. A filter without a tag
// means every tag; one of "latest" also what was asked for without a tag.
bool matches_image(const Event& event, const Filters& filters) {
  if (!filters.has("image")) return true;
  const std::string image = attribute(event, event.type == "image" ? "name" : "image");
  if (event.type == "image" && matches_thing(event, filters, "image")) return true;
  return std::ranges::any_of(filters.get("image"), [&](const std::string& wanted) {
    return !wanted.empty() && (wanted == image || wanted == repository_of(image) ||
                               wanted == fmt::format("{}:latest", image));
  });
}

Result<std::int64_t> parse_digits(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size())
    return fail(ErrorKind::kInvalid, "'{}' is no number", text);
  return number;
}

}  // namespace

OrderedJson event_json(const Event& event) {
  const auto nanoseconds = event.time.time_since_epoch().count();
  OrderedJson json;
  if (event.type == "container" || event.type == "image") {
    // What clients of before the typed events read.
    json["status"] = event.action;
    json["id"] = event.actor;
    if (event.type == "container") json["from"] = attribute(event, "image");
  }
  json["Type"] = event.type;
  json["Action"] = event.action;
  json["Actor"] = {{"ID", event.actor}, {"Attributes", event.attributes}};
  json["scope"] = "local";
  json["time"] = nanoseconds / 1'000'000'000;
  json["timeNano"] = nanoseconds;
  return json;
}

Result<void> check_event_filters(const Filters& filters) {
  return filters.accept_only(
      {"type", "event", "container", "image", "network", "volume", "label", "scope", "daemon"});
}

bool event_matches(const Event& event, const Filters& filters) {
  // An action may carry a detail ("health_status: healthy"); the filter may leave it out.
  const std::string_view plain = std::string_view(event.action).substr(0, event.action.find(':'));
  return filters.matches("type", event.type) &&
         (filters.matches("event", event.action) || filters.matches("event", plain)) &&
         filters.matches("scope", "local") && matches_thing(event, filters, "container") &&
         matches_thing(event, filters, "network") && matches_thing(event, filters, "volume") &&
         matches_image(event, filters) && filters.matches_labels("label", event.attributes) &&
         (!filters.has("daemon") || event.type == "daemon");
}

Result<std::optional<WallTime>> parse_moment(std::string_view parameter, std::string_view text) {
  if (text.empty() || text == "0") return std::optional<WallTime>();
  const auto invalid = [&] {
    return fail(ErrorKind::kInvalid,
                "invalid value for \"{}\": \"{}\" is neither a Unix time nor RFC 3339", parameter,
                text);
  };
  if (text.find('T') != std::string_view::npos) {
    const auto parsed = parse_rfc3339(text);
    return parsed.ok() ? Result<std::optional<WallTime>>(*parsed) : invalid();
  }
  const std::size_t dot = text.find('.');
  const auto seconds = parse_digits(text.substr(0, dot));
  // Beyond that a moment does not fit in 64 bits of nanoseconds.
  constexpr std::int64_t kLatest = 9'000'000'000;
  if (!seconds.ok() || *seconds > kLatest || *seconds < -kLatest) return invalid();
  WallTime moment{std::chrono::seconds(*seconds)};
  if (dot != std::string_view::npos) {
    std::string fraction(text.substr(dot + 1, 9));
    fraction.resize(9, '0');
    const auto nanoseconds = parse_digits(fraction);
    if (!nanoseconds.ok() || *nanoseconds < 0) return invalid();
    moment += std::chrono::nanoseconds(*nanoseconds);
  }
  return std::optional<WallTime>(moment);
}

}  // namespace berth::docker
