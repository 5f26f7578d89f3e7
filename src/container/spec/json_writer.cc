#include "container/spec/json_writer.h"

#include <fmt/format.h>

#include "container/spec/json_reader.h"

namespace berth::container {

void JsonWriter::new_line() {
  if (indent_ == 0) return;
  text_ += '\n';
  text_.append(depth_ * indent_, ' ');
}

void JsonWriter::before_value() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (!empty_) text_ += ',';
  empty_ = false;
  if (depth_ > 0) new_line();
}

void JsonWriter::write(double value) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  scalar({digits, static_cast<std::size_t>(end - digits)});
}

void JsonWriter::open(char bracket) {
  before_value();
  text_ += bracket;
  ++depth_;
  empty_ = true;
}

void JsonWriter::close(char bracket) {
  --depth_;
  if (!empty_) new_line();
  text_ += bracket;
  empty_ = false;
}

void JsonWriter::scalar(std::string_view text) {
  before_value();
  text_ += text;
}

void JsonWriter::key(std::string_view name) {
  before_value();
  quoted(name);
  text_ += indent_ == 0 ? ":" : ": ";
  after_key_ = true;
}

void JsonWriter::write(std::string_view value) {
  before_value();
  quoted(value);
}

void JsonWriter::quoted(std::string_view text) {
  text_ += '"';
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text.front());
    std::size_t length = utf8_length(text);
    if (length == 0) {
      text_ += "\xEF\xBF\xBD";
      length = 1;
    } else if (c == '"' || c == '\\') {
      text_ += '\\';
      text_ += text.front();
    } else if (c < 0x20) {
      text_ += fmt::format("\\u{:04x}", c);
    } else {
      text_.append(text.substr(0, length));
    }
    text.remove_prefix(length);
  }
  text_ += '"';
}

}  // namespace berth::container
