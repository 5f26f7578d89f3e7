#include "berth/create/limits.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "berth/create/pairs.h"

namespace berth::cli {
namespace {

// getrlimit(2), in the order of docker's documentation.
constexpr std::array<std::string_view, 15> kUlimits = {
    "core",   "cpu",   "data", "fsize",  "locks",  "memlock",    "msgqueue", "nice",
    "nofile", "nproc", "rss",  "rtprio", "rttime", "sigpending", "stack"};

// The default profile is 20 KiB.
constexpr std::size_t kMaxSeccompProfile = std::size_t{1} << 20;

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

bool is_device_mode(std::string_view mode) {
  return !mode.empty() && mode.size() <= 3 &&
         mode.find_first_not_of("rwm") == std::string_view::npos;
}

}  // namespace

Result<Json> parse_ulimit(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos)
    return fail(ErrorKind::kInvalid, "invalid ulimit argument: {}", text);
  const std::string_view name = text.substr(0, equals);
  const std::string_view limits = text.substr(equals + 1);
  if (std::ranges::find(kUlimits, name) == kUlimits.end())
    return fail(ErrorKind::kInvalid, "invalid ulimit type: {}", name);
  const auto colon = limits.find(':');
  const auto soft = parse_number(limits.substr(0, colon));
  const auto hard = colon == std::string_view::npos ? soft : parse_number(limits.substr(colon + 1));
  if (!soft || !hard || *soft < -1 || *hard < -1)
    return fail(ErrorKind::kInvalid, "invalid ulimit '{}': expected {}=soft[:hard]", text, name);
  if (*hard != -1 && (*soft > *hard || *soft == -1))
    return fail(ErrorKind::kInvalid,
                "ulimit soft limit must be less than or equal to hard limit: {} > {}", *soft,
                *hard);
  return Json{{"Name", name}, {"Soft", *soft}, {"Hard", *hard}};
}

Result<Json> parse_device(std::string_view text) {
  const auto bad = [&] {
    return fail(ErrorKind::kInvalid, "invalid device specification: {}", text);
  };
  std::vector<std::string_view> parts;
  for (std::string_view rest = text;;) {
    const auto colon = rest.find(':');
    parts.push_back(rest.substr(0, colon));
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
  }
  if (parts.size() > 3 || parts[0].empty()) return bad();
  std::string_view inside = parts[0];
  std::string_view mode = "rwm";
  if (parts.size() == 3) {
    if (!is_device_mode(parts[2]))
      return fail(ErrorKind::kInvalid, "bad mode specified: {}", parts[2]);
    mode = parts[2];
  }
  if (parts.size() > 1) {
    if (parts.size() == 2 && is_device_mode(parts[1])) {
      mode = parts[1];
    } else {
      inside = parts[1];
    }
  }
  if (!inside.starts_with('/'))
    return fail(ErrorKind::kInvalid, "{} is not an absolute path", inside);
  return Json{{"PathOnHost", parts[0]}, {"PathInContainer", inside}, {"CgroupPermissions", mode}};
}

Result<Json> parse_restart_policy(std::string_view text) {
  const auto colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  if (!name.empty() && name != "no" && name != "always" && name != "unless-stopped" &&
      name != "on-failure")
    return fail(
        ErrorKind::kInvalid,
        "invalid restart policy '{}': expected no, always, unless-stopped or on-failure[:max]",
        text);
  std::int64_t count = 0;
  if (colon != std::string_view::npos) {
    const auto number = parse_number(text.substr(colon + 1));
    if (!number || *number < 0)
      return fail(ErrorKind::kInvalid,
                  "invalid restart policy format: maximum retry count must be an integer");
    count = *number;
  }
  return Json{{"Name", name}, {"MaximumRetryCount", count}};
}

Result<SecurityOptions> parse_security_options(const std::vector<std::string>& flags) {
  SecurityOptions result;
  for (const std::string& flag : flags) {
    if (flag == "systempaths=unconfined") {
      result.unconfined_paths = true;
      continue;
    }
    const auto separator = flag.find_first_of("=:");
    if (separator == std::string::npos) {
      if (flag != "no-new-privileges")
        return fail(ErrorKind::kInvalid, "invalid --security-opt: \"{}\"", flag);
      result.options.push_back(flag);
      continue;
    }
    const std::string value = flag.substr(separator + 1);
    if (flag.substr(0, separator) != "seccomp" || value == "unconfined" || value == "builtin") {
      result.options.push_back(flag);
      continue;
    }
    // The engine may run elsewhere: it is sent the profile, not its path.
    const std::string text = TRY(read_flag_file("security-opt seccomp", value, kMaxSeccompProfile));
    const auto profile = parse_json(text);
    if (!profile.ok())
      return fail(ErrorKind::kInvalid, "--security-opt: the seccomp profile {} is {}", value,
                  profile.error().message());
    result.options.push_back("seccomp=" + dump_json(*profile));
  }
  return result;
}

Result<Json> parse_log_config(const std::string& driver, const std::vector<std::string>& options) {
  if (driver == "none" && !options.empty())
    return fail(ErrorKind::kInvalid, "invalid logging opts for driver {}", driver);
  return Json{{"Type", driver}, {"Config", to_map(options)}};
}

}  // namespace berth::cli
