#include "api/docker/filters.h"

#include <algorithm>

#include "base/json.h"

namespace berth::docker {

Result<Filters> Filters::parse(std::string_view json) {
  Filters filters;
  if (json.empty()) return filters;
  const Json document = TRY(parse_json(json, kMaxBytes).context("invalid filter"));
  if (document.is_null()) return filters;
  if (!document.is_object()) return fail(ErrorKind::kInvalid, "invalid filter: not a JSON object");
  for (const auto& [key, value] : document.items()) {
    std::vector<std::string>& values = filters.values_[key];
    if (value.is_array()) {
      for (const Json& item : value) {
        if (!item.is_string())
          return fail(ErrorKind::kInvalid, "invalid filter '{}': not a text", key);
        values.push_back(item.get<std::string>());
      }
    } else if (value.is_object()) {
      for (const auto& [text, on] : value.items()) {
        if (!on.is_boolean())
          return fail(ErrorKind::kInvalid, "invalid filter '{}': not a boolean", key);
        if (on.get<bool>()) values.push_back(text);
      }
    } else {
      return fail(ErrorKind::kInvalid, "invalid filter '{}': neither a list nor an object", key);
    }
  }
  return filters;
}

Result<void> Filters::accept_only(std::initializer_list<std::string_view> known) const {
  for (const auto& [key, values] : values_) {
    if (std::ranges::find(known, key) == known.end())
      return fail(ErrorKind::kInvalid, "invalid filter '{}'", key);
  }
  return {};
}

const std::vector<std::string>& Filters::get(std::string_view key) const {
  static const std::vector<std::string> kNone;
  const auto found = values_.find(key);
  return found == values_.end() ? kNone : found->second;
}

bool Filters::matches(std::string_view key, std::string_view value) const {
  return !has(key) || std::ranges::find(get(key), value) != get(key).end();
}

bool Filters::matches_part(std::string_view key, std::string_view value) const {
  return !has(key) || std::ranges::any_of(get(key), [&](const std::string& wanted) {
    return value.find(wanted) != std::string_view::npos;
  });
}

bool Filters::matches_labels(std::string_view key,
                             const std::map<std::string, std::string>& labels) const {
  return std::ranges::all_of(get(key), [&](const std::string& wanted) {
    const std::size_t equals = wanted.find('=');
    const auto label = labels.find(wanted.substr(0, equals));
    return label != labels.end() &&
           (equals == std::string::npos || label->second == wanted.substr(equals + 1));
  });
}

Result<bool> Filters::flag(std::string_view key, bool fallback) const {
  if (!has(key)) return fallback;
  const std::vector<std::string>& values = get(key);
  const auto is_one_of = [&](std::string_view a, std::string_view b) {
    return values.size() == 1 && (values[0] == a || values[0] == b);
  };
  if (is_one_of("true", "1")) return true;
  if (is_one_of("false", "0")) return false;
  return fail(ErrorKind::kInvalid, "invalid filter '{}': it takes one of true and false", key);
}

}  // namespace berth::docker
