#include "container/systemd/annotations.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

namespace berth::container {
namespace {

constexpr std::size_t kMinName = 3;
constexpr double kSecond = 1e6;  // in microseconds

Error bad_value(std::string_view why) {
  return fail(ErrorKind::kInvalid,
              "{}; what is understood is 'text', true, 5, uint64 5, 0.5 and ['text', 'text']", why);
}

bool is_letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

template <typename T>
Result<BusValue> parse_number(std::string_view word) {
  T value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (word.empty() || error != std::errc() || end != word.data() + word.size())
    return bad_value(fmt::format("'{}' is no such number", word));
  return BusValue(value);
}

struct TypeRow {
  std::string_view keyword;
  Result<BusValue> (*parse)(std::string_view word);
};
constexpr auto kTypes = std::to_array<TypeRow>({
    {"byte", parse_number<std::uint8_t>},
    {"int16", parse_number<std::int16_t>},
    {"uint16", parse_number<std::uint16_t>},
    {"int32", parse_number<std::int32_t>},
    {"uint32", parse_number<std::uint32_t>},
    {"int64", parse_number<std::int64_t>},
    {"uint64", parse_number<std::uint64_t>},
    {"double", parse_number<double>},
});

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  Result<BusValue> parse() {
    BusValue value = TRY(parse_value());
    skip_blanks();
    if (!rest_.empty()) return bad_value(fmt::format("'{}' follows the value", rest_));
    return value;
  }

 private:
  void skip_blanks() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\n"), rest_.size()));
  }
  bool take(char c) {
    skip_blanks();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view take_word() {
    skip_blanks();
    const std::string_view word = rest_.substr(0, rest_.find_first_of(" \t\n"));
    rest_.remove_prefix(word.size());
    return word;
  }

  Result<BusValue> parse_value() {
    skip_blanks();
    if (rest_.starts_with('\'') || rest_.starts_with('"')) return BusValue(TRY(parse_string()));
    if (rest_.starts_with('[')) return parse_strings();
    const std::string_view word = take_word();
    if (word == "@as") return parse_strings();
    if (word == "true" || word == "false") return BusValue(word == "true");
    for (const TypeRow& row : kTypes)
      if (row.keyword == word) return row.parse(take_word());
    const bool is_fraction = word.find_first_of(".eE") != std::string_view::npos;
    return is_fraction ? parse_number<double>(word) : parse_number<std::int32_t>(word);
  }

  Result<std::string> parse_string() {
    const char quote = rest_.front();
    rest_.remove_prefix(1);
    std::string text;
    while (!rest_.empty() && rest_.front() != quote) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '\\') {
        if (rest_.empty()) break;
        c = TRY(unescape(rest_.front()));
        rest_.remove_prefix(1);
      }
      if (c == '\0') return bad_value("a text has a NUL byte");
      text += c;
    }
    if (rest_.empty()) return bad_value("a text has no closing quote");
    rest_.remove_prefix(1);
    return text;
  }

  static Result<char> unescape(char c) {
    constexpr std::string_view kNames = "abfnrtv", kBytes = "\a\b\f\n\r\t\v";
    if (const auto at = kNames.find(c); at != std::string_view::npos) return kBytes[at];
    if (c == '\\' || c == '\'' || c == '"') return c;
    return bad_value(fmt::format("'\\{}' is not understood", c));
  }

  Result<BusValue> parse_strings() {
    std::vector<std::string> list;
    if (!take('[')) return bad_value("an array begins with '['");
    while (!take(']')) {
      if (!list.empty() && !take(',')) return bad_value("the items of an array are apart by ','");
      skip_blanks();
      if (!rest_.starts_with('\'') && !rest_.starts_with('"'))
        return bad_value("the items of an array are texts");
      list.push_back(TRY(parse_string()));
    }
    return BusValue(std::move(list));
  }

  std::string_view rest_;
};

// nullopt: no number, or one that is no time.
std::optional<std::uint64_t> microseconds(const BusValue& seconds) {
  return std::visit(
      [](const auto& value) -> std::optional<std::uint64_t> {
        using T = std::decay_t<decltype(value)>;
        if constexpr (!std::is_arithmetic_v<T> || std::is_same_v<T, bool>) {
          return std::nullopt;
        } else if constexpr (std::is_floating_point_v<T>) {
          constexpr double kMost = 1e18;
          if (!(value >= 0 && value * kSecond < kMost)) return std::nullopt;
          return static_cast<std::uint64_t>(std::llround(value * kSecond));
        } else {
          std::uint64_t product = 0;
          if (std::cmp_less(value, 0) ||
              __builtin_mul_overflow(static_cast<std::uint64_t>(value),
                                     static_cast<std::uint64_t>(kSecond), &product))
            return std::nullopt;
          return product;
        }
      },
      seconds);
}

bool is_in_seconds(std::string_view name) {
  constexpr std::string_view kSeconds = "Sec";
  if (!name.ends_with(kSeconds) || name.size() == kSeconds.size()) return false;
  const char before = name[name.size() - kSeconds.size() - 1];
  return before >= 'a' && before <= 'z';  // not USec
}

Result<UnitProperty> property_of(std::string_view name, std::string_view text) {
  if (name.size() < kMinName || !std::ranges::all_of(name, is_letter))
    return fail(ErrorKind::kInvalid, "a property has a name of at least {} letters", kMinName);
  UnitProperty property{std::string(name), TRY(parse_property_value(text))};
  if (!is_in_seconds(name)) return property;
  const auto time = microseconds(property.value);
  if (!time) return bad_value("a time is a number of seconds");
  property.name.insert(property.name.size() - (sizeof "Sec" - 1), "U");
  property.value = *time;
  return property;
}

}  // namespace

Result<BusValue> parse_property_value(std::string_view text) {
  return Parser(text).parse();
}

Result<std::vector<UnitProperty>> annotated_properties(
    const std::map<std::string, std::string>& annotations) {
  std::vector<UnitProperty> properties;
  for (const auto& [key, text] : annotations) {
    if (!key.starts_with(kPropertyAnnotation)) continue;
    const auto name = std::string_view(key).substr(kPropertyAnnotation.size());
    properties.push_back(TRY(property_of(name, text).context(fmt::format("annotation {}", key))));
  }
  return properties;
}

}  // namespace berth::container
