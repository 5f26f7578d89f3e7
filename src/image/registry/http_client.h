// HttpClient: requests to a registry, or to a program on this host, over HTTP/1.1 or 2, by libcurl.
// TLS is verified against the machine's certificates and those that the registry's own directory
// adds; proxies are those of the environment (http_proxy, https_proxy, no_proxy) unless one is
// given. Redirects are followed, but credentials never go to another host. A peer that is silent
// for too long is given up. One object may be used by several threads; each response by one.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_source.h"
#include "base/result.h"

namespace berth::image {

/// A part of a file that is a request's body; it may be read several times.
struct HttpUpload {
  int file = -1;  // borrowed; -1: the request has no such body
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> fields = {};
  std::string body = {};         // of a POST or PUT
  HttpUpload upload = {};        // instead
  ByteSource* source = nullptr;  // instead, of unknown length, borrowed; its error ends the request
  std::stop_token stop = {};     // ends the transfer within a second: kConflict
  /// Told how much of the upload is on its way, by the thread of send().
  std::function<void(std::uint64_t)> sent = {};
  /// The path of a unix socket that the request goes to, whatever host its URL names.
  std::string socket = {};
  /// How long the peer may be silent; without a body of unknown length, all of it may take.
  std::chrono::milliseconds patience{0};  // 0: a minute's silence
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> fields;  // names in lower case; of the last response
  std::unique_ptr<ByteSource> body;           // borrows nothing; to drop it ends the transfer
  std::string url;                            // whose response it is, after redirects

  /// Empty if it is not there.
  std::string get(const std::string& name) const;
  /// The body from `offset` of the whole on, of an answer 206 or 200 to a request with a Range: a
  /// server may know of none and begin anew. kCorrupt: it ends before.
  Result<std::unique_ptr<ByteSource>> body_from(std::uint64_t offset);
  /// All of a small body. kExhausted beyond `max_bytes`.
  Result<std::string> text(std::size_t max_bytes);
};

struct TlsSettings {
  std::string authorities = {};  // PEM, besides the machine's own
  std::string certificate = {};  // file; empty: none
  std::string key = {};          // file
  bool verify = true;
};

struct HttpSettings {
  TlsSettings tls = {};
  std::chrono::milliseconds connect_timeout{30'000};
  std::chrono::seconds silence{60};  // the longest without a byte
  std::string proxy = {};            // empty: the environment's
};

class HttpClient {
 public:
  explicit HttpClient(HttpSettings settings) : settings_(std::move(settings)) {}

  /// Returns when the head of the response is there, which is after the request's body.
  /// kUnsupported: what answers does not speak TLS, or it is not to be trusted; kInternal: the
  /// connection broke, was silent for too long (ETIMEDOUT), or there is none (EHOSTUNREACH).
  Result<HttpResponse> send(const HttpRequest& request) const;

 private:
  HttpSettings settings_;
};

}  // namespace berth::image
