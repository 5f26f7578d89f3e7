// JSON through nlohmann-json, with its exceptions turned into Results at this border.
// Outside bytes come in through parse_json(), which caps size and depth; fields are read with the
// typed getters, which name the field that was wrong. Include only in .cc files where possible: the
// library is heavy to compile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace berth {

using Json = nlohmann::json;
/// Keeps the order of keys as written: for output that people or Docker clients read.
using OrderedJson = nlohmann::ordered_json;

/// Nesting beyond this is refused: no format read here goes deeper than 20.
inline constexpr std::size_t kMaxJsonDepth = 64;
/// Documents beyond this are refused unless the caller names a cap of its own: manifests and
/// configs stay below 4 MiB.
inline constexpr std::size_t kMaxJsonBytes = 4U << 20;

/// Parses one document. kInvalid says where the text goes wrong; kExhausted that a cap was hit.
Result<Json> parse_json(std::string_view text, std::size_t max_bytes = kMaxJsonBytes);

/// The member `key` of `object`, or null if absent, null, or `object` is no object.
const Json* find_member(const Json& object, std::string_view key);

// Optional members: absent or null yields the fallback; another type is kInvalid and names `key`.
Result<std::string> get_string(const Json& object, std::string_view key, std::string fallback = {});
Result<bool> get_bool(const Json& object, std::string_view key, bool fallback = false);
/// Accepts integers that fit in 64 bits; a fraction or a larger number is kInvalid.
Result<std::int64_t> get_int(const Json& object, std::string_view key, std::int64_t fallback = 0);
Result<std::optional<std::int64_t>> get_optional_int(const Json& object, std::string_view key);
Result<std::vector<std::string>> get_strings(const Json& object, std::string_view key);
Result<std::map<std::string, std::string>> get_string_map(const Json& object, std::string_view key);

/// Compact text. Bytes that are not UTF-8 become U+FFFD: dumping never fails.
std::string dump_json(const Json& value);
std::string dump_json(const OrderedJson& value);

}  // namespace berth
