// Where systemd listens: D-Bus addresses as text, and those of its managers. systemd(1),
// sd_booted(3); D-Bus specification, "Server Addresses", "Message Bus".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace berth::container {

/// A unix socket that speaks D-Bus.
struct BusAddress {
  std::string path = {};        // in the file system; with `abstract`, the name
  bool abstract = false;        // unix(7), "abstract"
  bool is_message_bus = false;  // a daemon between us and systemd; else systemd itself
  friend bool operator==(const BusAddress&, const BusAddress&) = default;
};

/// The sockets in "unix:path=/run/dbus/system_bus_socket,guid=0;unix:abstract=/tmp/x". Other
/// transports are left out. kInvalid: `text` is no list of addresses.
Result<std::vector<BusAddress>> parse_addresses(std::string_view text);

/// What the environment says of systemd's whereabouts.
struct BusEnvironment {
  bool is_privileged = false;        // root of the host: the system's manager; else the user's
  std::string runtime_dir = {};      // $XDG_RUNTIME_DIR
  std::string system_address = {};   // $DBUS_SYSTEM_BUS_ADDRESS
  std::string session_address = {};  // $DBUS_SESSION_BUS_ADDRESS
};

/// Of this process.
BusEnvironment bus_environment();

/// Where to try, in order: the manager's own socket first, which needs no bus to run.
/// kUnsupported: a user without $XDG_RUNTIME_DIR and $DBUS_SESSION_BUS_ADDRESS.
Result<std::vector<BusAddress>> manager_addresses(const BusEnvironment& environment);

/// kUnsupported: the host's first process is not systemd.
Result<void> check_systemd_runs();

}  // namespace berth::container
