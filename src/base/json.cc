#include "base/json.h"

#include <limits>

namespace berth {
namespace {

Error wrong_type(std::string_view key, std::string_view wanted, const Json& value) {
  return fail(ErrorKind::kInvalid, "'{}' must be {}, not {}", key, wanted, value.type_name());
}

// Counts brackets outside strings, so that a document too deep is refused before the parser
// recurses into it.
bool too_deep(std::string_view text) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxJsonDepth) return true;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

}  // namespace

Result<Json> parse_json(std::string_view text, std::size_t max_bytes) {
  if (text.size() > max_bytes)
    return fail(ErrorKind::kExhausted, "JSON document of {} bytes is over the cap of {}",
                text.size(), max_bytes);
  // The library takes it for the end of the text, whatever follows.
  if (text.find('\0') != std::string_view::npos)
    return fail(ErrorKind::kInvalid, "not valid JSON: it contains a null byte");
  if (too_deep(text))
    return fail(ErrorKind::kExhausted, "JSON is nested deeper than {} levels", kMaxJsonDepth);
  try {
    return Json::parse(text);
  } catch (const Json::out_of_range&) {
    return fail(ErrorKind::kExhausted, "JSON has a number that is beyond every range");
  } catch (const Json::exception& e) {
    // The library's text starts with its own error number in brackets.
    std::string_view what = e.what();
    if (const auto end = what.find("] "); what.starts_with('[') && end != std::string_view::npos)
      what.remove_prefix(end + 2);
    return fail(ErrorKind::kInvalid, "not valid JSON: {}", what);
  }
}

const Json* find_member(const Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(key);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

Result<std::string> get_string(const Json& object, std::string_view key, std::string fallback) {
  const Json* value = find_member(object, key);
  if (!value) return fallback;
  if (!value->is_string()) return wrong_type(key, "a string", *value);
  return value->get_ref<const std::string&>();
}

Result<bool> get_bool(const Json& object, std::string_view key, bool fallback) {
  const Json* value = find_member(object, key);
  if (!value) return fallback;
  if (!value->is_boolean()) return wrong_type(key, "true or false", *value);
  return value->get<bool>();
}

Result<std::optional<std::int64_t>> get_optional_int(const Json& object, std::string_view key) {
  const Json* value = find_member(object, key);
  if (!value) return std::optional<std::int64_t>();
  if (!value->is_number_integer()) return wrong_type(key, "a whole number", *value);
  if (value->is_number_unsigned() &&
      value->get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max())
    return fail(ErrorKind::kInvalid, "'{}' is too large a number: {}", key,
                value->get<std::uint64_t>());
  return std::optional(value->get<std::int64_t>());
}

Result<std::int64_t> get_int(const Json& object, std::string_view key, std::int64_t fallback) {
  return TRY(get_optional_int(object, key)).value_or(fallback);
}

Result<std::vector<std::string>> get_strings(const Json& object, std::string_view key) {
  std::vector<std::string> strings;
  const Json* value = find_member(object, key);
  if (!value) return strings;
  if (!value->is_array()) return wrong_type(key, "a list of strings", *value);
  strings.reserve(value->size());
  for (const Json& item : *value) {
    if (!item.is_string()) return wrong_type(key, "a list of strings", item);
    strings.push_back(item.get_ref<const std::string&>());
  }
  return strings;
}

Result<std::map<std::string, std::string>> get_string_map(const Json& object,
                                                          std::string_view key) {
  std::map<std::string, std::string> strings;
  const Json* value = find_member(object, key);
  if (!value) return strings;
  if (!value->is_object()) return wrong_type(key, "an object of strings", *value);
  for (const auto& [name, item] : value->items()) {
    if (!item.is_string()) return wrong_type(key, "an object of strings", item);
    strings.emplace(name, item.get_ref<const std::string&>());
  }
  return strings;
}

std::string dump_json(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string dump_json(const OrderedJson& value) {
  return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace berth
