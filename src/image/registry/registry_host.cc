#include "image/registry/registry_host.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include "image/registry/hosts_toml.h"
#include "sys/file.h"

namespace berth::image {
namespace {

constexpr const char* kHostsFile = "hosts.toml";

Result<std::optional<std::string>> find_directory(const std::string& root,
                                                  const std::string& domain) {
  std::vector<std::string> names = {domain};
  if (const auto colon = domain.rfind(':'); colon != std::string::npos && !domain.ends_with(']'))
    names.push_back(domain.substr(0, colon) + "_" + domain.substr(colon + 1) + "_");
  names.emplace_back("_default");
  for (const std::string& name : names) {
    std::string path = root + "/" + name;
    struct stat found = {};
    if (::stat(path.c_str(), &found) == 0) return std::optional(std::move(path));
    if (errno != ENOENT && errno != ENOTDIR) return fail_errno("{}", path);
  }
  return std::optional<std::string>();
}

Result<void> add_certificates(const std::string& directory, RegistryHost& host) {
  std::set<std::string> certificates, keys;  // without their ends
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::filesystem::path& path = entry.path();
    const std::string stem = path.parent_path() / path.stem();
    if (path.extension() == ".crt") host.authorities.push_back(path);
    if (path.extension() == ".cert") certificates.insert(stem);
    if (path.extension() == ".key") keys.insert(stem);
  }
  if (error)
    return Error(ErrorKind::kInvalid, fmt::format("{}: {}", directory, error.message()),
                 error.value());
  std::ranges::sort(host.authorities);
  for (const std::string& stem : certificates) {
    if (!keys.contains(stem))
      return fail(ErrorKind::kInvalid,
                  "{0}.key is missing, the key of the client's certificate {0}.cert (authorities' "
                  "certificates end in .crt)",
                  stem);
    host.clients.push_back({stem + ".cert", stem + ".key"});
  }
  for (const std::string& stem : keys)
    if (!certificates.contains(stem))
      return fail(ErrorKind::kInvalid, "{0}.cert is missing, the certificate of the key {0}.key",
                  stem);
  return {};
}

}  // namespace

std::string_view origin_of(std::string_view address) {
  const auto scheme = address.find("://");
  if (scheme == std::string_view::npos) return {};
  return address.substr(0, address.find_first_of("/?#", scheme + 3));
}

std::string_view authority_of(std::string_view address) {
  const std::string_view origin = origin_of(address);
  return origin.empty() ? origin : origin.substr(origin.find("://") + 3);
}

std::string server_of(std::string_view domain) {
  return domain == "docker.io" ? "registry-1.docker.io" : std::string(domain);
}

bool is_loopback(std::string_view domain) {
  if (domain.starts_with('[')) return domain.starts_with("[::1]");
  const std::string_view host = domain.substr(0, domain.rfind(':'));
  return host == "localhost" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == host.npos);
}

RegistryHost default_host(std::string_view domain) {
  return {.address = "https://" + server_of(domain) + "/v2",
          .skip_verify = is_loopback(domain),
          .may_be_plain = is_loopback(domain)};
}

Result<std::vector<RegistryHost>> find_hosts(const std::string& root, const std::string& domain) {
  const auto directory = TRY(find_directory(root, domain));
  if (!directory) return std::vector{default_host(domain)};
  const std::string file = *directory + "/" + kHostsFile;
  auto text = sys::read_file(file, kMaxHostsToml);
  if (text.ok()) return parse_hosts_toml(*text, file, domain);
  if (text.error().os_errno() != ENOENT && text.error().os_errno() != ENOTDIR)
    return std::move(text).error().with_kind(ErrorKind::kInvalid);
  RegistryHost host = default_host(domain);
  TRY(add_certificates(*directory, host));
  return std::vector{std::move(host)};
}

}  // namespace berth::image
