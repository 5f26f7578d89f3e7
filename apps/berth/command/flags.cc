#include "berth/command/flags.h"

#include <charconv>

#include "berth/format/units.h"

namespace berth::cli {
namespace {

constexpr std::array<std::string_view, 6> kTrueWords = {"1", "t", "T", "TRUE", "true", "True"};
constexpr std::array<std::string_view, 6> kFalseWords = {"0", "f", "F", "FALSE", "false", "False"};

bool is_switch(const FlagSpec& flag) {
  return flag.target.kind == FlagKind::kBool || flag.target.kind == FlagKind::kOptionalBool;
}

Result<bool> parse_bool(std::string_view text) {
  for (const auto word : kTrueWords)
    if (text == word) return true;
  for (const auto word : kFalseWords)
    if (text == word) return false;
  return fail(ErrorKind::kInvalid, "'{}' is neither true nor false", text);
}

Result<std::int64_t> parse_int(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range)
    return fail(ErrorKind::kInvalid, "'{}' is out of range", text);
  if (error != std::errc() || end != text.data() + text.size())
    return fail(ErrorKind::kInvalid, "'{}' is not a whole number", text);
  return value;
}

template <typename Field>
Field& field_of(const FlagSpec& flag, void* options) {
  return *static_cast<Field*>(flag.target.field(options));
}

Result<void> store(const FlagSpec& flag, std::string_view text, void* options) {
  switch (flag.target.kind) {
    case FlagKind::kBool:
      field_of<bool>(flag, options) = TRY(parse_bool(text));
      break;
    case FlagKind::kOptionalBool:
      field_of<std::optional<bool>>(flag, options) = TRY(parse_bool(text));
      break;
    case FlagKind::kInt:
      field_of<std::int64_t>(flag, options) = TRY(parse_int(text));
      break;
    case FlagKind::kOptionalInt:
      field_of<std::optional<std::int64_t>>(flag, options) = TRY(parse_int(text));
      break;
    case FlagKind::kBytes:
      field_of<Bytes>(flag, options).value = text == "-1" ? -1 : TRY(parse_bytes(text));
      break;
    case FlagKind::kNanoCpus:
      field_of<NanoCpus>(flag, options).value = TRY(parse_nano_cpus(text));
      break;
    case FlagKind::kNanoseconds:
      field_of<Nanoseconds>(flag, options).value = TRY(parse_duration(text));
      break;
    case FlagKind::kString:
      field_of<std::string>(flag, options) = text;
      break;
    case FlagKind::kOptionalString:
      field_of<std::optional<std::string>>(flag, options) = std::string(text);
      break;
    case FlagKind::kList:
      field_of<std::vector<std::string>>(flag, options).emplace_back(text);
      break;
  }
  return {};
}

class Parser {
 public:
  Parser(std::span<const FlagSpec> table, std::span<const std::string> arguments, bool interspersed,
         void* options)
      : table_(table), arguments_(arguments), interspersed_(interspersed), options_(options) {}

  Result<ParsedArguments> parse() {
    for (; next_ < arguments_.size() && !parsed_.help; ++next_) {
      const std::string_view word = arguments_[next_];
      if (word == "--") {
        ++next_;
        break;
      }
      if (word.size() < 2 || word[0] != '-') {
        if (!interspersed_) break;
        parsed_.operands.emplace_back(word);
      } else if (word[1] == '-') {
        TRY(parse_long(word.substr(2)));
      } else {
        TRY(parse_bundle(word.substr(1)));
      }
    }
    for (; next_ < arguments_.size(); ++next_) parsed_.operands.push_back(arguments_[next_]);
    return std::move(parsed_);
  }

 private:
  Result<void> assign(const FlagSpec& flag, std::string_view value) {
    auto stored = store(flag, value, options_);
    if (!stored.ok()) return invalid_argument(flag, value, stored.error().message());
    return {};
  }

  Result<void> parse_long(std::string_view word) {
    const auto equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    if (name.empty()) return fail(ErrorKind::kInvalid, "bad flag syntax: --{}", word);
    for (const FlagSpec& flag : table_) {
      if (flag.name != name) continue;
      if (equals != std::string_view::npos) return assign(flag, word.substr(equals + 1));
      if (is_switch(flag)) return assign(flag, "true");
      if (++next_ >= arguments_.size())
        return fail(ErrorKind::kInvalid, "flag needs an argument: --{}", name);
      return assign(flag, arguments_[next_]);
    }
    if (name != "help") return fail(ErrorKind::kInvalid, "unknown flag: --{}", name);
    parsed_.help = true;
    return {};
  }

  const FlagSpec* find_short(char letter) const {
    for (const FlagSpec& flag : table_)
      if (flag.shorthand == letter) return &flag;
    return nullptr;
  }

  Result<void> parse_bundle(std::string_view letters) {
    for (std::size_t i = 0; i < letters.size(); ++i) {
      const std::string_view rest = letters.substr(i + 1);
      const FlagSpec* flag = find_short(letters[i]);
      if (!flag) {
        if (letters[i] != 'h')
          return fail(ErrorKind::kInvalid, "unknown shorthand flag: '{}' in -{}", letters[i],
                      letters);
        parsed_.help = true;
        return {};
      }
      if (rest.starts_with('=')) return assign(*flag, rest.substr(1));
      if (is_switch(*flag)) {
        TRY(assign(*flag, "true"));
        continue;
      }
      if (!rest.empty()) return assign(*flag, rest);
      if (++next_ >= arguments_.size())
        return fail(ErrorKind::kInvalid, "flag needs an argument: '{}' in -{}", letters[i],
                    letters);
      return assign(*flag, arguments_[next_]);
    }
    return {};
  }

  std::span<const FlagSpec> table_;
  std::span<const std::string> arguments_;
  bool interspersed_;
  void* options_;
  std::size_t next_ = 0;
  ParsedArguments parsed_;
};

}  // namespace

Result<ParsedArguments> parse_flags(std::span<const FlagSpec> table,
                                    std::span<const std::string> arguments, bool interspersed,
                                    void* options) {
  return Parser(table, arguments, interspersed, options).parse();
}

Error invalid_argument(const FlagSpec& flag, std::string_view value, std::string_view reason) {
  if (flag.shorthand == 0) return invalid_argument(flag.name, value, reason);
  return fail(ErrorKind::kInvalid, "invalid argument \"{}\" for \"-{}, --{}\" flag: {}", value,
              flag.shorthand, flag.name, reason);
}

Error invalid_argument(std::string_view flag, std::string_view value, std::string_view reason) {
  return fail(ErrorKind::kInvalid, "invalid argument \"{}\" for \"--{}\" flag: {}", value, flag,
              reason);
}

std::string_view value_name(const FlagSpec& flag) {
  if (!flag.value_name.empty()) return flag.value_name;
  switch (flag.target.kind) {
    case FlagKind::kBool:
    case FlagKind::kOptionalBool:
      return "";
    case FlagKind::kInt:
    case FlagKind::kOptionalInt:
      return "int";
    case FlagKind::kBytes:
      return "bytes";
    case FlagKind::kNanoCpus:
      return "decimal";
    case FlagKind::kNanoseconds:
      return "duration";
    case FlagKind::kString:
    case FlagKind::kOptionalString:
      return "string";
    case FlagKind::kList:
      return "list";
  }
  return "";
}

}  // namespace berth::cli
