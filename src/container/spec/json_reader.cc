#include "container/spec/json_reader.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/json.h"

namespace berth::container {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

void append_utf8(std::string& out, unsigned code) {
  const auto put = [&](unsigned byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const unsigned lead = byte(0);
  if (text.empty()) return 0;
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const bool overlong = lead == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = lead == 0xED && byte(1) > 0x9F;
    return continues(1) && continues(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const bool overlong = lead == 0xF0 && byte(1) < 0x90;
    const bool beyond = lead == 0xF4 && byte(1) > 0x8F;
    return continues(1) && continues(2) && continues(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

Error JsonReader::error() const {
  return Error(ErrorKind::kInvalid, what_);
}

void JsonReader::fail_syntax(std::string_view what) {
  if (failed_) return;
  failed_ = true;
  const auto seen = text_.substr(0, std::min(at_, text_.size()));
  const auto line = 1 + std::count(seen.begin(), seen.end(), '\n');
  const auto newline = seen.rfind('\n');
  const auto column = newline == std::string_view::npos ? seen.size() + 1 : seen.size() - newline;
  what_ = fmt::format("not valid JSON: {} at line {}, column {}", what, line, column);
}

std::string JsonReader::path() const {
  std::string path;
  for (const Step& step : path_) {
    if (step.member.empty()) {
      path += fmt::format("[{}]", step.index);
    } else {
      if (!path.empty()) path += '.';
      path += step.member;
    }
  }
  return path;
}

void JsonReader::fail_value(std::string_view wanted) {
  if (failed_) return;
  failed_ = true;
  const std::string name = path();
  what_ = fmt::format("{} must be {}", name.empty() ? "the document" : name, wanted);
}

void JsonReader::white_space() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c != ' ' && c != '\n' && c != '\t' && c != '\r') return;
    ++at_;
  }
}

// The next character that is not white space; 0 at the end or after an error.
char JsonReader::peek() {
  if (failed_) return 0;
  white_space();
  return at_ < text_.size() ? text_[at_] : '\0';
}

bool JsonReader::expect(char c) {
  if (peek() != c) {
    fail_syntax(fmt::format("'{}' expected", c));
    return false;
  }
  ++at_;
  return true;
}

bool JsonReader::literal(std::string_view word) {
  if (failed_ || !text_.substr(at_).starts_with(word)) return false;
  at_ += word.size();
  return true;
}

bool JsonReader::skip_null() {
  return peek() == 'n' && literal("null");
}

bool JsonReader::begin_object() {
  if (peek() != '{') {
    fail_value("an object");
    return false;
  }
  if (++depth_ > kMaxJsonDepth) {
    fail_syntax("nested too deep");
    return false;
  }
  ++at_;
  first_ = true;
  return true;
}

bool JsonReader::begin_array() {
  if (peek() != '[') {
    fail_value("a list");
    return false;
  }
  if (++depth_ > kMaxJsonDepth) {
    fail_syntax("nested too deep");
    return false;
  }
  ++at_;
  first_ = true;
  return true;
}

// Consumes the comma before another element, or the closing bracket.
bool JsonReader::separator(char close) {
  if (peek() == close) {
    ++at_;
    --depth_;
    first_ = false;
    return false;
  }
  if (!std::exchange(first_, false)) return expect(',');
  return !failed_;
}

bool JsonReader::next_key(std::string& key) {
  if (!separator('}')) return false;
  if (peek() != '"') {
    fail_syntax("a member name expected");
    return false;
  }
  return string_body(&key) && expect(':');
}

bool JsonReader::next_item() {
  return separator(']');
}

bool JsonReader::read(std::string& value) {
  if (peek() != '"') {
    fail_value("a string");
    return false;
  }
  if (!string_body(&value)) return false;
  if (value.find('\0') != std::string::npos) fail_value("free of NUL characters");
  return !failed_;
}

bool JsonReader::read(bool& value) {
  const char c = peek();
  if (c == 't' && literal("true")) {
    value = true;
    return true;
  }
  if (c == 'f' && literal("false")) {
    value = false;
    return true;
  }
  fail_value("true or false");
  return false;
}

bool JsonReader::hex4(unsigned& value) {
  const auto digits = text_.substr(at_, 4);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (digits.size() != 4 || error != std::errc() || end != digits.data() + 4) {
    fail_syntax("four hexadecimal digits expected");
    return false;
  }
  at_ += 4;
  return true;
}

bool JsonReader::unicode_escape(std::string* out) {
  unsigned code = 0;
  if (!hex4(code)) return false;
  if (code >= 0xDC00 && code <= 0xDFFF) {
    fail_syntax("a lone surrogate");
    return false;
  }
  if (code >= 0xD800 && code <= 0xDBFF) {
    unsigned low = 0;
    if (!literal("\\u") || !hex4(low) || low < 0xDC00 || low > 0xDFFF) {
      fail_syntax("a lone surrogate");
      return false;
    }
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  if (out) append_utf8(*out, code);
  return true;
}

bool JsonReader::escape(std::string* out) {
  static constexpr std::string_view kFrom = "\"\\/bfnrt";
  static constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
  const char c = at_ < text_.size() ? text_[at_] : '\0';
  ++at_;
  if (c == 'u') return unicode_escape(out);
  const auto row = kFrom.find(c);
  if (c == '\0' || row == std::string_view::npos) {
    fail_syntax("an unknown escape");
    return false;
  }
  if (out) out->push_back(kTo[row]);
  return true;
}

// Reads a string from its opening quote; null `out` only checks it.
bool JsonReader::string_body(std::string* out) {
  if (out) out->clear();
  ++at_;
  while (at_ < text_.size()) {
    // Plain ASCII, nearly everything, is copied in runs.
    const std::size_t start = at_;
    while (at_ < text_.size()) {
      const auto c = static_cast<unsigned char>(text_[at_]);
      if (c == '"' || c == '\\' || c < 0x20 || c >= 0x80) break;
      ++at_;
    }
    if (out) out->append(text_.substr(start, at_ - start));
    if (at_ == text_.size()) break;
    const auto c = static_cast<unsigned char>(text_[at_]);
    if (c == '"') {
      ++at_;
      return true;
    }
    if (c == '\\') {
      ++at_;
      if (!escape(out)) return false;
    } else {
      const std::size_t length = c < 0x20 ? 0 : utf8_length(text_.substr(at_));
      if (length == 0) {
        fail_syntax(c < 0x20 ? "a control character in a string" : "text that is not UTF-8");
        return false;
      }
      if (out) out->append(text_.substr(at_, length));
      at_ += length;
    }
  }
  fail_syntax("a string without end");
  return false;
}

// The longest number here by the grammar of RFC 8259, section 6; `whole`: without fraction and
// exponent.
bool JsonReader::number_text(std::string_view& text, bool& whole) {
  peek();
  const std::size_t start = at_;
  const auto digits = [&] {
    const std::size_t from = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return at_ > from;
  };
  const auto next_is = [&](std::string_view any) {
    return at_ < text_.size() && any.find(text_[at_]) != std::string_view::npos;
  };
  whole = true;
  if (next_is("-")) ++at_;
  if (next_is("0")) {
    ++at_;
  } else if (!digits()) {
    return false;
  }
  if (next_is(".")) {
    whole = false;
    ++at_;
    if (!digits()) return false;
  }
  if (next_is("eE")) {
    whole = false;
    ++at_;
    if (next_is("+-")) ++at_;
    if (!digits()) return false;
  }
  text = text_.substr(start, at_ - start);
  return true;
}

bool JsonReader::read_int(std::int64_t& value, std::int64_t lowest, std::int64_t highest) {
  std::string_view text;
  bool whole = false;
  if (!failed_ && number_text(text, whole) && whole) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && value >= lowest && value <= highest) return true;
  }
  fail_value(fmt::format("a whole number from {} to {}", lowest, highest));
  return false;
}

bool JsonReader::read_uint(std::uint64_t& value, std::uint64_t highest) {
  std::string_view text;
  bool whole = false;
  if (!failed_ && number_text(text, whole) && whole) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && value <= highest) return true;
  }
  fail_value(fmt::format("a whole number from 0 to {}", highest));
  return false;
}

std::string_view JsonReader::skip() {
  peek();
  const std::size_t start = at_;
  skip_value();
  return text_.substr(start, at_ - start);
}

void JsonReader::skip_value() {
  // The recursion is as deep as the brackets, which begin_*() cap.
  switch (peek()) {
    case '{': {
      std::string key;
      begin_object();
      while (next_key(key)) skip_value();
      return;
    }
    case '[':
      begin_array();
      while (next_item()) skip_value();
      return;
    case '"':
      string_body(nullptr);
      return;
    default: {
      std::string_view text;
      bool whole = false;
      if (!literal("null") && !literal("true") && !literal("false") && !number_text(text, whole))
        fail_syntax("a value expected");
    }
  }
}

void JsonReader::finish() {
  if (peek() != '\0' || (!failed_ && at_ < text_.size())) fail_syntax("nothing more expected");
}

}  // namespace berth::container
