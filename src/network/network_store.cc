#include "network/network_store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/unique_fd.h"
#include "sys/file.h"

namespace berth::network {
namespace {

constexpr std::int64_t kVersion = 1;

constexpr const char* kFile = "networks.json";

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

}  // namespace

Result<std::vector<NetworkInfo>> load_networks(const std::string& directory) {
  const std::string path = directory + "/" + kFile;
  const Result<std::string> text = sys::read_file(path, kMaxJsonBytes);
  if (!text.ok() && text.error().os_errno() == ENOENT) return std::vector<NetworkInfo>();
  if (!text.ok()) return text.error();
  Result<std::vector<NetworkInfo>> networks = parse_networks(*text);
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
  const UniqueFd parent = TRY(sys::open_file(directory, O_RDONLY | O_DIRECTORY));
  return sys::write_file_atomic(parent.get(), kFile, text).context(directory);
}

}  // namespace berth::network
