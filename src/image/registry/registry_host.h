// RegistryHost: one server that is asked for a registry's repositories: the registry itself, or a
// mirror. A list of them, in the order in which they are asked, ends with the registry.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace berth::image {

struct RegistryHost {
  /// A client's certificate and its key, both PEM. Empty key: it is in the certificate's file.
  struct Client {
    std::string certificate;
    std::string key;
    friend bool operator==(const Client&, const Client&) = default;
  };

  std::string address;  // of its API: "https://mirror.example:5000/v2"
  // What it is trusted with: blobs and manifests by digest, what a tag stands for, what is pushed.
  bool pulls = true;
  bool resolves = true;
  bool pushes = true;
  std::vector<std::string> authorities = {};  // PEM files, besides the machine's own
  std::vector<Client> clients = {};
  bool skip_verify = false;
  bool may_be_plain = false;  // where TLS is not spoken, go on without
  std::vector<std::pair<std::string, std::string>> fields = {};  // of each request
  std::chrono::milliseconds connect_timeout{30'000};
  std::string proxy = {};  // empty: the environment's

  friend bool operator==(const RegistryHost&, const RegistryHost&) = default;
};

/// "https://mirror.example:5000" of "https://mirror.example:5000/v2?a=b"; empty: there is no
/// scheme.
std::string_view origin_of(std::string_view address);

/// "mirror.example:5000" of the same.
std::string_view authority_of(std::string_view address);

/// Where the registry of an image's domain answers: Docker Hub does at another name than it is
/// called by.
std::string server_of(std::string_view domain);

/// "127.0.0.1:5000", "localhost", "[::1]:5000": this machine. As for Docker, nobody is between, so
/// its certificate may be anyone's, and TLS may be missing.
bool is_loopback(std::string_view domain);

/// The registry of `domain` as it is without any configuration.
RegistryHost default_host(std::string_view domain);

/// The servers for `domain` by the first directory that there is of <root>/HOST:PORT,
/// <root>/HOST_PORT_ and <root>/_default: its hosts.toml, or else its certificates as Docker has
/// them: each *.crt is an authority, X.cert with X.key is who we are. Never empty. kInvalid: a file
/// is bad or missing, and it is named.
Result<std::vector<RegistryHost>> find_hosts(const std::string& root, const std::string& domain);

}  // namespace berth::image
