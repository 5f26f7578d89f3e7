// The files that tell a sandbox its names: resolv.conf, hosts, hostname. Pure functions of text;
// the caller reads the host's file and writes the container's. Sources: resolv.conf(5), hosts(5).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::network {

/// What the user asked for; an empty list means: as the host has it.
struct ResolverOptions {
  std::vector<std::string> servers;  // --dns
  std::vector<std::string> search;   // --dns-search; a single "." means none
  std::vector<std::string> options;  // --dns-option
};

/// The file to read: where the host's resolv.conf names only systemd-resolved's stub (127.0.0.53),
/// which no sandbox can reach, the list of real servers that resolved keeps beside it; else
/// /etc/resolv.conf.
std::string_view resolv_conf_path(std::string_view etc_resolv_conf);

/// The resolv.conf of a sandbox on the default bridge: the host's, minus servers on loopback
/// addresses and IPv6 servers (the sandbox has neither), and if none is left, public ones
/// (8.8.8.8, 8.8.4.4), as Docker does.
std::string make_resolv_conf(std::string_view host_file, const ResolverOptions& options = {});

/// The hosts file: localhost in both families, then `extra` (--add-host: name, address), then the
/// sandbox's own line. `address` empty: no line of its own.
std::string make_hosts(std::string_view address, std::string_view hostname,
                       std::string_view domain = {},
                       const std::vector<std::pair<std::string, std::string>>& extra = {});

/// The hostname file: one line.
std::string make_hostname(std::string_view hostname);

}  // namespace berth::network
