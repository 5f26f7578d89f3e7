#include "berth/format/template_action.h"

#include <cctype>
#include <charconv>
#include <utility>

namespace berth::cli::tmpl {
namespace {

Error syntax(std::string_view what) {
  return fail(ErrorKind::kInvalid, "template parsing error: {}", what);
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

Operand literal(OrderedJson value) {
  Operand result;
  result.start = Operand::Start::kLiteral;
  result.literal = std::move(value);
  return result;
}

}  // namespace

void ActionParser::skip_space() {
  while (!text_.empty() && is_space(text_[0])) text_.remove_prefix(1);
}
bool ActionParser::at_end() {
  skip_space();
  return text_.empty();
}

// A leading keyword, which must end where a word ends.
bool ActionParser::take_keyword(std::string_view keyword) {
  skip_space();
  if (!text_.starts_with(keyword) ||
      (text_.size() > keyword.size() && is_word(text_[keyword.size()])))
    return false;
  text_.remove_prefix(keyword.size());
  return true;
}

Result<Pipeline> ActionParser::pipeline(bool in_parentheses) {
  Pipeline result;
  TRY(declarations(result));
  std::vector<Operand> command;
  for (;;) {
    skip_space();
    if (text_.empty() || text_[0] == ')') {
      if (text_.empty() == in_parentheses)
        return syntax(in_parentheses ? "unclosed left paren" : "unexpected right paren");
      break;
    }
    if (text_[0] == '|') {
      if (command.empty()) return syntax("missing value for command");
      result.commands.push_back(std::move(command));
      command.clear();
      text_.remove_prefix(1);
      continue;
    }
    command.push_back(TRY(operand()));
  }
  if (command.empty()) return syntax("missing value for command");
  result.commands.push_back(std::move(command));
  return result;
}

std::string ActionParser::take_word() {
  std::size_t length = 0;
  while (length < text_.size() && is_word(text_[length])) ++length;
  std::string word(text_.substr(0, length));
  text_.remove_prefix(length);
  return word;
}

// "$a :=", "$a =" or "$a, $b :="; leaves a pipeline that merely starts with a variable alone.
Result<void> ActionParser::declarations(Pipeline& result) {
  const std::string_view start = text_;
  std::vector<std::string> names;
  for (;;) {
    skip_space();
    if (!text_.starts_with('$')) break;
    text_.remove_prefix(1);
    names.push_back(take_word());
    skip_space();
    if (text_.starts_with(',')) {
      text_.remove_prefix(1);
      continue;
    }
    const std::size_t sign = text_.starts_with(":=") ? 2 : text_.starts_with('=') ? 1 : 0;
    if (sign == 0) break;
    text_.remove_prefix(sign);
    if (names.size() > 2) return syntax("too many declarations");
    result.variables = std::move(names);
    return {};
  }
  text_ = start;
  return {};
}

Result<Operand> ActionParser::operand() {
  Operand result;
  const char c = text_[0];
  if (c == '.') {
    if (text_.size() > 1 && std::isdigit(static_cast<unsigned char>(text_[1])) != 0)
      return number();
    if (text_.size() == 1 || !is_word(text_[1])) {
      text_.remove_prefix(1);
      return result;
    }
  } else if (c == '$') {
    text_.remove_prefix(1);
    result.start = Operand::Start::kVariable;
    result.name = take_word();
  } else if (c == '(') {
    if (nesting_ >= kMaxNesting) return syntax("nested too deeply");
    text_.remove_prefix(1);
    ActionParser inner(text_, nesting_ + 1);
    result.start = Operand::Start::kParentheses;
    result.pipeline = std::make_unique<Pipeline>(TRY(inner.pipeline(true)));
    text_ = inner.text_.substr(1);
  } else if (c == '"' || c == '`') {
    return quoted();
  } else if (c == '-' || c == '+' || std::isdigit(static_cast<unsigned char>(c)) != 0) {
    return number();
  } else if (is_word(c)) {
    return word();
  } else {
    return syntax(fmt::format("unexpected \"{}\" in command", c));
  }
  return fields(std::move(result));
}

Result<Operand> ActionParser::fields(Operand result) {
  while (text_.size() > 1 && text_[0] == '.' && is_word(text_[1])) {
    text_.remove_prefix(1);
    result.fields.push_back(take_word());
  }
  return result;
}

Result<Operand> ActionParser::word() {
  std::string name = take_word();
  if (name == "true" || name == "false") return literal(name == "true");
  if (name == "nil") return literal(nullptr);
  if (!is_function(name)) return syntax(fmt::format("function \"{}\" not defined", name));
  Operand result;
  result.start = Operand::Start::kFunction;
  result.name = std::move(name);
  return fields(std::move(result));
}

Result<Operand> ActionParser::number() {
  std::size_t length = 1;
  while (length < text_.size() && (is_word(text_[length]) || text_[length] == '.')) ++length;
  std::string_view digits = text_.substr(0, length);
  text_.remove_prefix(length);
  if (digits.starts_with('+')) digits.remove_prefix(1);
  std::int64_t whole = 0;
  const char* end = digits.data() + digits.size();
  if (const auto read = std::from_chars(digits.data(), end, whole);
      read.ec == std::errc() && read.ptr == end)
    return literal(whole);
  double real = 0;
  if (const auto read = std::from_chars(digits.data(), end, real);
      read.ec == std::errc() && read.ptr == end)
    return literal(real);
  return syntax(fmt::format("bad number syntax: \"{}\"", digits));
}

Result<Operand> ActionParser::quoted() {
  const char quote = text_[0];
  std::string value;
  for (std::size_t i = 1; i < text_.size(); ++i) {
    char c = text_[i];
    if (c == quote) {
      text_.remove_prefix(i + 1);
      return literal(std::move(value));
    }
    if (c == '\\' && quote == '"') {
      if (++i == text_.size()) break;
      constexpr std::string_view kLetters = "nrt";
      constexpr std::string_view kMeanings = "\n\r\t";
      c = text_[i];
      if (const auto which = kLetters.find(c); which != std::string_view::npos) {
        c = kMeanings[which];
      } else if (c != '"' && c != '\\') {
        return syntax(fmt::format("unknown escape \\{}", c));
      }
    }
    value += c;
  }
  return syntax("unterminated quoted string");
}

}  // namespace berth::cli::tmpl
