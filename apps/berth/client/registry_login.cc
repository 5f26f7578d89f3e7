#include "berth/client/registry_login.h"

#include <nettle/base64.h>
#include <sys/stat.h>

#include "berth/client/docker_config.h"
#include "berth/client/json_stream.h"
#include "berth/verb/output_file.h"

namespace berth::cli {
namespace {

std::string encode(const std::string& text) {
  std::string encoded(BASE64_ENCODE_RAW_LENGTH(text.size()), '\0');
  ::base64_encode_raw(encoded.data(), text.size(),
                      reinterpret_cast<const std::uint8_t*>(text.data()));
  return encoded;
}

Result<void> write_config(const std::string& text) {
  const std::string path = docker_config_path();
  const std::string directory = path.substr(0, path.rfind('/'));
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return fail_errno("make {}", directory);
  OutputFile file = TRY(OutputFile::open(path));
  TRY(file.write(std::span<const char>(text)));
  return file.keep();
}

/// The helper for `key`; empty: none.
Result<std::string> find_helper(const std::string& config, const std::string& key) {
  if (config.empty()) return std::string();
  return helper_for(TRY(parse_json(config).context(docker_config_path())), key);
}

}  // namespace

std::string registry_key_of_server(std::string_view server) {
  const auto scheme = server.find("://");
  if (scheme != std::string_view::npos) server.remove_prefix(scheme + 3);
  server = server.substr(0, server.find('/'));
  if (server.empty() || server == "docker.io" || server == "index.docker.io" ||
      server == "registry-1.docker.io")
    return std::string(kHubKey);
  return std::string(server);
}

Result<std::string> config_with_login(std::string_view config, const std::string& key,
                                      const std::string& user, const std::string& password) {
  OrderedJson root = OrderedJson::object();
  if (!config.empty()) root = TRY(parse_ordered(config, kMaxJsonBytes));
  if (!root.is_object()) return fail(ErrorKind::kInvalid, "it is no JSON object");
  OrderedJson& auths = root["auths"];
  if (auths.is_null()) auths = OrderedJson::object();
  if (!auths.is_object()) return fail(ErrorKind::kInvalid, "auths is no object");
  if (user.empty())
    auths.erase(key);
  else
    auths[key] = {{"auth", encode(user + ":" + password)}};
  return root.dump(1, '\t') + "\n";
}

Result<bool> remember_login(const std::string& key, const std::string& user,
                            const std::string& password) {
  const std::string config = TRY(read_docker_config());
  const std::string helper = TRY(find_helper(config, key));
  if (!helper.empty()) {
    TRY(run_helper(
        helper, "store",
        dump_json(OrderedJson{{"ServerURL", key}, {"Username", user}, {"Secret", password}})));
    return true;
  }
  TRY(write_config(
      TRY(config_with_login(config, key, user, password).context(docker_config_path()))));
  return false;
}

Result<bool> forget_login(const std::string& key) {
  const std::string config = TRY(read_docker_config());
  if (config.empty()) return false;
  const std::string helper = TRY(find_helper(config, key));
  if (!helper.empty()) TRY(run_helper(helper, "erase", key));
  const std::string without =
      TRY(config_with_login(config, key, {}, {}).context(docker_config_path()));
  const Json before = TRY(parse_json(config));
  const Json* auths = find_member(before, "auths");
  const bool known = auths != nullptr && find_member(*auths, key) != nullptr;
  if (known) TRY(write_config(without));
  return known || !helper.empty();
}

}  // namespace berth::cli
