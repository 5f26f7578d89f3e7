#include "api/docker/api_version.h"

#include <charconv>

namespace berth::docker {
namespace {

bool parse_number(std::string_view text, int& number) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return !text.empty() && text[0] != '-' && error == std::errc() && stop == end;
}

}  // namespace

std::string to_string(ApiVersion version) {
  return fmt::format("{}.{}", version.major, version.minor);
}

Result<ApiVersion> parse_api_version(std::string_view text) {
  const std::size_t dot = text.find('.');
  ApiVersion version;
  if (dot == std::string_view::npos || !parse_number(text.substr(0, dot), version.major) ||
      !parse_number(text.substr(dot + 1), version.minor))
    return fail(ErrorKind::kInvalid, "'{}' is no API version", text);
  return version;
}

Result<void> check_api_version(ApiVersion version) {
  if (version < kMinApiVersion) {
    return fail(ErrorKind::kInvalid,
                "client version {} is too old. Minimum supported API version is {}, please upgrade "
                "your client to a "
                "newer version",
                to_string(version), to_string(kMinApiVersion));
  }
  if (version > kMaxApiVersion) {
    return fail(ErrorKind::kInvalid,
                "client version {} is too new. Maximum supported API version is {}",
                to_string(version), to_string(kMaxApiVersion));
  }
  return {};
}

}  // namespace berth::docker
