// JsonWriter: writes JSON text front to back, compact or indented. The counterpart of JsonReader;
// same reason to exist. Bytes that are not UTF-8 become U+FFFD, so that writing never fails. The
// caller keeps begin and end in pairs.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

namespace berth::container {

class JsonWriter {
 public:
  /// `indent` 0: compact.
  explicit JsonWriter(std::size_t indent = 0) : indent_(indent) {}

  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }
  /// The name of the member whose value is written next.
  void key(std::string_view name);

  void write(std::string_view value);
  void write(bool value) { scalar(value ? "true" : "false"); }
  /// In the shortest form that reads back as the same. Finite.
  void write(double value);
  void write_null() { scalar("null"); }
  template <std::integral Int>
  void write(Int value) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    scalar({digits, static_cast<std::size_t>(end - digits)});
  }

  std::string take() { return std::move(text_); }

 private:
  void open(char bracket);
  void close(char bracket);
  void scalar(std::string_view text);
  void before_value();
  void new_line();
  void quoted(std::string_view text);

  std::size_t indent_;
  std::size_t depth_ = 0;
  bool empty_ = true;  // nothing was written yet into the innermost container
  bool after_key_ = false;
  std::string text_;
};

}  // namespace berth::container
