// What an HTTP/1.1 request says before its body, as values, and the limits that a request is held
// to. RFC 9112.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::http {

/// Request line and fields together. Docker's clients stay below 1 KiB; the longest legitimate ones
/// carry filters.
inline constexpr std::size_t kMaxHeadBytes = 64U << 10;
/// From the first byte of a request to the end of its head.
inline constexpr std::chrono::milliseconds kHeadDeadline{30'000};
/// Between two requests. Clients keep idle connections in pools and expect them to be there a few
/// minutes later.
inline constexpr std::chrono::milliseconds kIdleDeadline{600'000};
/// Between two pieces of a body. An archive may come through a slow pipe of the client's.
inline constexpr std::chrono::milliseconds kBodyDeadline{300'000};
/// For a client to take a piece of an answer that is no stream.
inline constexpr std::chrono::milliseconds kReplyDeadline{60'000};

struct Head {
  std::string method;  // "GET", as sent
  std::string target;  // path and query, as sent
  bool http_1_0 = false;
  bool keep_alive = true;
  bool upgrade = false;          // "Connection: Upgrade" with an "Upgrade" field
  bool expect_continue = false;  // "Expect: 100-continue"
  bool chunked = false;
  std::optional<std::uint64_t> content_length;
  std::vector<std::pair<std::string, std::string>> fields;

  /// The first field of that name, in any case; "" if there is none.
  std::string_view field(std::string_view name) const;
};

}  // namespace berth::http
