#include "network/names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace berth::network {
namespace {

constexpr std::string_view kEtcResolvConf = "/etc/resolv.conf";
constexpr std::string_view kResolvedServers = "/run/systemd/resolve/resolv.conf";
constexpr std::string_view kResolvedStub = "127.0.0.53";
constexpr std::string_view kBlanks = " \t\r";

// The resolver itself reads no more (resolv.h: MAXNS, MAXDNSRCH); a file with a million lines stays
// small for a sandbox.
constexpr std::size_t kMaxServers = 3;
constexpr std::size_t kMaxWords = 32;

struct ResolvConf {
  std::vector<std::string> servers;
  std::vector<std::string> search;
  std::vector<std::string> options;
};

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  while (words.size() < kMaxWords) {
    const std::size_t start = line.find_first_not_of(kBlanks);
    if (start == line.npos) break;
    line.remove_prefix(start);
    const std::size_t end = std::min(line.find_first_of(kBlanks), line.size());
    words.emplace_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return words;
}

ResolvConf parse(std::string_view file) {
  ResolvConf conf;
  while (!file.empty()) {
    const std::size_t end = std::min(file.find('\n'), file.size());
    std::vector<std::string> words = words_of(file.substr(0, end));
    file.remove_prefix(std::min(end + 1, file.size()));
    if (words.size() < 2) continue;
    const std::string keyword = std::move(words.front());
    words.erase(words.begin());
    if (keyword == "nameserver") conf.servers.push_back(std::move(words.front()));
    if (keyword == "search" || keyword == "domain")
      conf.search = std::move(words);  // the last one counts
    if (keyword == "options") std::ranges::move(words, std::back_inserter(conf.options));
  }
  return conf;
}

bool reachable_from_a_sandbox(std::string_view server) {
  return !server.starts_with("127.") && server != "0.0.0.0" && server.find(':') == server.npos;
}

}  // namespace

std::string_view resolv_conf_path(std::string_view etc_resolv_conf) {
  const ResolvConf conf = parse(etc_resolv_conf);
  const bool only_stub =
      !conf.servers.empty() &&
      std::ranges::all_of(conf.servers, [](const auto& s) { return s == kResolvedStub; });
  return only_stub ? kResolvedServers : kEtcResolvConf;
}

std::string make_resolv_conf(std::string_view host_file, const ResolverOptions& options) {
  ResolvConf conf = parse(host_file);
  if (!options.servers.empty()) {
    conf.servers = options.servers;
  } else {
    std::erase_if(conf.servers,
                  [](const std::string& server) { return !reachable_from_a_sandbox(server); });
    if (conf.servers.empty()) conf.servers = {"8.8.8.8", "8.8.4.4"};
  }
  if (!options.search.empty()) conf.search = options.search;
  if (!options.options.empty()) conf.options = options.options;
  if (conf.search.size() == 1 && conf.search.front() == ".") conf.search.clear();
  if (conf.servers.size() > kMaxServers) conf.servers.resize(kMaxServers);

  std::string text;
  for (const std::string& server : conf.servers) text += fmt::format("nameserver {}\n", server);
  if (!conf.search.empty()) text += fmt::format("search {}\n", fmt::join(conf.search, " "));
  if (!conf.options.empty()) text += fmt::format("options {}\n", fmt::join(conf.options, " "));
  return text;
}

std::string make_hosts(std::string_view address, std::string_view hostname, std::string_view domain,
                       const std::vector<std::pair<std::string, std::string>>& extra) {
  std::string text =
      "127.0.0.1\tlocalhost\n"
      "::1\tlocalhost ip6-localhost ip6-loopback\n"
      "fe00::\tip6-localnet\n"
      "ff00::\tip6-mcastprefix\n"
      "ff02::1\tip6-allnodes\n"
      "ff02::2\tip6-allrouters\n";
  for (const auto& [name, at] : extra) text += fmt::format("{}\t{}\n", at, name);
  if (!address.empty() && !domain.empty()) {
    text += fmt::format("{}\t{}.{} {}\n", address, hostname, domain, hostname);
  } else if (!address.empty()) {
    text += fmt::format("{}\t{}\n", address, hostname);
  }
  return text;
}

std::string make_hostname(std::string_view hostname) {
  return fmt::format("{}\n", hostname);
}

}  // namespace berth::network
