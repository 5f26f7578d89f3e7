#include "holder/log_record.h"

#include <cstddef>
#include <cstdint>

#include "base/json.h"

namespace berth::holder {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr char32_t kLineSeparator = 0x2028;
constexpr char32_t kParagraphSeparator = 0x2029;

struct Decoded {
  char32_t code = 0;
  std::size_t size = 0;  // 0: not UTF-8
};

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

// One sequence of two bytes or more off the front of `text`; overlong forms, surrogates and codes
// beyond U+10FFFF are not UTF-8 (RFC 3629).
Decoded decode(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  std::size_t size = 0;
  char32_t code = 0;
  char32_t least = 0;
  if ((first & 0xe0U) == 0xc0U) {
    size = 2, code = first & 0x1fU, least = 0x80;
  } else if ((first & 0xf0U) == 0xe0U) {
    size = 3, code = first & 0x0fU, least = 0x800;
  } else if ((first & 0xf8U) == 0xf0U) {
    size = 4, code = first & 0x07U, least = 0x10000;
  }
  if (size == 0 || text.size() < size) return {};
  for (std::size_t i = 1; i < size; ++i) {
    if (!is_continuation(text[i])) return {};
    code = (code << 6U) | (static_cast<unsigned char>(text[i]) & 0x3fU);
  }
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < least || code > 0x10ffff || surrogate) return {};
  return {.code = code, .size = size};
}

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

void append_escaped_ascii(std::string& out, char c) {
  switch (c) {
    case '"':
    case '\\':
      out += '\\';
      out += c;
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    default:
      out += "\\u00";
      out += kHexDigits[static_cast<unsigned char>(c) >> 4U];
      out += kHexDigits[static_cast<unsigned char>(c) & 15U];
  }
}

void append_escaped(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    std::size_t plain = i;
    while (plain < text.size() && is_plain(text[plain])) ++plain;
    out.append(text, i, plain - i);
    i = plain;
    if (i == text.size()) break;
    if (static_cast<unsigned char>(text[i]) < 0x80) {
      append_escaped_ascii(out, text[i++]);
      continue;
    }
    const Decoded decoded = decode(text.substr(i));
    if (decoded.size == 0) {
      out += "\\ufffd";
      ++i;
    } else if (decoded.code == kLineSeparator || decoded.code == kParagraphSeparator) {
      out += "\\u202";
      out += kHexDigits[decoded.code & 15U];
      i += decoded.size;
    } else {
      out.append(text, i, decoded.size);
      i += decoded.size;
    }
  }
}

}  // namespace

void append_log_record(std::string& out, std::string_view text, bool ends_line, StreamKind stream,
                       std::string_view time) {
  out += R"({"log":")";
  append_escaped(out, text);
  if (ends_line) out += "\\n";
  out += R"(","stream":")";
  out += to_string(stream);
  out += R"(","time":")";
  out += time;
  out += "\"}\n";
}

Result<LogRecord> parse_log_record(std::string_view line) {
  const auto corrupt = [](Error error) {
    return std::move(error).with_kind(ErrorKind::kCorrupt).context("log record");
  };
  auto object = parse_json(line, kMaxLogRecord);
  if (!object.ok()) return corrupt(std::move(object).error());
  auto text = get_string(*object, "log");
  if (!text.ok()) return corrupt(std::move(text).error());
  auto stream = get_string(*object, "stream");
  if (!stream.ok()) return corrupt(std::move(stream).error());
  auto stamp = get_string(*object, "time");
  if (!stamp.ok()) return corrupt(std::move(stamp).error());
  auto time = parse_rfc3339(*stamp);
  if (!time.ok()) return corrupt(std::move(time).error());
  return LogRecord{.stream = *stream == to_string(StreamKind::kStderr) ? StreamKind::kStderr
                                                                       : StreamKind::kStdout,
                   .time = *time,
                   .text = std::move(*text)};
}

}  // namespace berth::holder
