#include "network/network_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "base/json.h"
#include "base/unique_fd.h"

namespace berth::network {
namespace {

constexpr std::int64_t kVersion = 1;

std::string file_in(const std::string& directory) {
  return directory + "/networks.json";
}

Result<NetworkInfo> parse_network(const Json& json) {
  NetworkInfo network;
  network.id = NetworkId(TRY(get_string(json, "id")));
  network.name = TRY(get_string(json, "name"));
  network.driver = TRY(get_string(json, "driver"));
  network.subnet = TRY(get_string(json, "subnet"));
  network.gateway = TRY(get_string(json, "gateway"));
  network.internal = TRY(get_bool(json, "internal"));
  network.created = TRY(get_string(json, "created"));
  network.options = TRY(get_string_map(json, "options"));
  if (network.id.empty() || network.name.empty())
    return fail(ErrorKind::kCorrupt, "a network without id or name");
  return network;
}

Result<std::vector<NetworkInfo>> parse_networks(const std::string& text) {
  const Json document = TRY(parse_json(text));
  if (TRY(get_int(document, "version")) != kVersion) {
    return fail(ErrorKind::kCorrupt, "it is of another version than {}", kVersion);
  }
  std::vector<NetworkInfo> networks;
  const Json* list = find_member(document, "networks");
  if (list == nullptr || !list->is_array())
    return fail(ErrorKind::kCorrupt, "it has no list of networks");
  for (const Json& entry : *list) networks.push_back(TRY(parse_network(entry)));
  return networks;
}

Result<std::string> read_all(int file) {
  std::string text;
  std::array<char, 4096> chunk;
  for (;;) {
    const ssize_t got = ::read(file, chunk.data(), chunk.size());
    if (got < 0) return fail_errno("read");
    if (got == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(got));
    if (text.size() > kMaxJsonBytes)
      return fail(ErrorKind::kCorrupt, "longer than {} bytes", kMaxJsonBytes);
  }
}

}  // namespace

Result<std::vector<NetworkInfo>> load_networks(const std::string& directory) {
  const std::string path = file_in(directory);
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid() && errno == ENOENT) return std::vector<NetworkInfo>();
  if (!file.valid()) return fail_errno("open {}", path);
  Result<std::vector<NetworkInfo>> networks =
      parse_networks(TRY(read_all(file.get()).context(path)));
  if (networks.ok()) return networks;
  return std::move(networks)
      .error()
      .with_kind(ErrorKind::kCorrupt)
      .context(fmt::format("{} is damaged (remove it to start with fresh networks)", path));
}

Result<void> save_networks(const std::string& directory, const std::vector<NetworkInfo>& networks) {
  OrderedJson list = OrderedJson::array();
  for (const NetworkInfo& network : networks) {
    list.push_back({{"id", network.id.str()},
                    {"name", network.name},
                    {"driver", network.driver},
                    {"subnet", network.subnet},
                    {"gateway", network.gateway},
                    {"internal", network.internal},
                    {"created", network.created},
                    {"options", network.options}});
  }
  const std::string text =
      dump_json(OrderedJson{{"version", kVersion}, {"networks", std::move(list)}});
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return fail_errno("make directory {}", directory);
  const std::string path = file_in(directory);
  const std::string fresh = path + ".new";
  const UniqueFd file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.valid() ||
      ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::fsync(file.get()) != 0) {
    return fail_errno("write {}", fresh);
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) return fail_errno("rename {} to {}", fresh, path);
  const UniqueFd parent(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent.valid() || ::fsync(parent.get()) != 0)
    return fail_errno("sync directory {}", directory);
  return {};
}

}  // namespace berth::network
