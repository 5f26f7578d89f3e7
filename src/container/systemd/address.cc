#include "container/systemd/address.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "sys/process.h"

namespace berth::container {
namespace {

constexpr const char* kBooted = "/run/systemd/system";
constexpr const char* kSystemManager = "/run/systemd/private";
constexpr const char* kSystemBus = "/run/dbus/system_bus_socket";
// An address in the environment is a line or two.
constexpr std::size_t kMaxAddresses = 4096;

std::string variable(const char* name) {
  const char* value = ::getenv(name);
  return value ? value : "";
}

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

// "%20": a byte that may not stand for itself.
std::optional<std::string> unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    const auto high = i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
    const auto low = high ? hex_digit(text[i + 2]) : std::nullopt;
    if (!low || (*high == 0 && *low == 0)) return std::nullopt;
    plain += static_cast<char>(*high * 16 + *low);
    i += 2;
  }
  return plain;
}

// Cuts the part before `separator` off.
std::string_view take_part(std::string_view& text, char separator) {
  const auto end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

// nullopt: of a transport that is not used here.
Result<std::optional<BusAddress>> parse_address(std::string_view text) {
  const auto bad = [text] {
    return fail(ErrorKind::kInvalid, "'{}' is not a D-Bus address like unix:path=/run/bus", text);
  };
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return bad();
  if (text.substr(0, colon) != "unix") return std::optional<BusAddress>();
  std::optional<BusAddress> address;
  for (std::string_view rest = text.substr(colon + 1); !rest.empty();) {
    const std::string_view pair = take_part(rest, ',');
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) return bad();
    const std::string_view key = pair.substr(0, equals);
    if (key != "path" && key != "abstract") continue;
    auto value = unescape(pair.substr(equals + 1));
    if (!value || value->empty()) return bad();
    address = BusAddress{std::move(*value), key == "abstract", true};
  }
  return address;
}

}  // namespace

Result<std::vector<BusAddress>> parse_addresses(std::string_view text) {
  if (text.size() > kMaxAddresses)
    return fail(ErrorKind::kInvalid, "a D-Bus address is longer than {} bytes", kMaxAddresses);
  std::vector<BusAddress> addresses;
  while (!text.empty())
    if (auto address = TRY(parse_address(take_part(text, ';'))))
      addresses.push_back(std::move(*address));
  return addresses;
}

BusEnvironment bus_environment() {
  return {.is_privileged = sys::is_host_root(),
          .runtime_dir = variable("XDG_RUNTIME_DIR"),
          .system_address = variable("DBUS_SYSTEM_BUS_ADDRESS"),
          .session_address = variable("DBUS_SESSION_BUS_ADDRESS")};
}

Result<std::vector<BusAddress>> manager_addresses(const BusEnvironment& environment) {
  std::vector<BusAddress> addresses;
  const bool system = environment.is_privileged;
  if (system)
    addresses.push_back({.path = kSystemManager});
  else if (!environment.runtime_dir.empty())
    addresses.push_back({.path = environment.runtime_dir + "/systemd/private"});
  const std::string& given = system ? environment.system_address : environment.session_address;
  if (!given.empty()) {
    auto parsed = TRY(parse_addresses(given).context(system ? "DBUS_SYSTEM_BUS_ADDRESS"
                                                            : "DBUS_SESSION_BUS_ADDRESS"));
    addresses.insert(addresses.end(), parsed.begin(), parsed.end());
  } else if (system) {
    addresses.push_back({.path = kSystemBus, .is_message_bus = true});
  } else if (!environment.runtime_dir.empty()) {
    addresses.push_back({.path = environment.runtime_dir + "/bus", .is_message_bus = true});
  }
  if (addresses.empty())
    return fail(ErrorKind::kUnsupported,
                "the user's systemd cannot be found: XDG_RUNTIME_DIR and "
                "DBUS_SESSION_BUS_ADDRESS are not set");
  return addresses;
}

Result<void> check_systemd_runs() {
  struct stat found = {};
  if (::lstat(kBooted, &found) == 0 && S_ISDIR(found.st_mode)) return {};
  return fail(ErrorKind::kUnsupported,
              "systemd is not running on this host ({} is not there): leave out --systemd-cgroup",
              kBooted);
}

}  // namespace berth::container
