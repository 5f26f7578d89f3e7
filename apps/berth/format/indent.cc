#include "berth/format/indent.h"

namespace berth::cli {
namespace {

constexpr std::size_t kIndent = 4;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

}  // namespace

std::string indent_json(std::string_view json) {
  std::string out;
  out.reserve(json.size() * 2);
  std::size_t depth = 0;
  bool in_string = false;
  bool opened = false;  // a bracket was written whose first member has not come yet
  const auto new_line = [&] {
    out += '\n';
    out.append(depth * kIndent, ' ');
  };
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      out += c;
      if (c == '\\' && i + 1 < json.size()) out += json[++i];
      if (c == '"') in_string = false;
      continue;
    }
    if (is_space(c)) continue;
    const bool closes = c == '}' || c == ']';
    if (opened && !closes) {
      ++depth;
      new_line();
    } else if (closes && !opened) {
      if (depth > 0) --depth;
      new_line();
    }
    opened = c == '{' || c == '[';
    in_string = c == '"';
    out += c;
    if (c == ',') new_line();
    if (c == ':') out += ' ';
  }
  return out;
}

}  // namespace berth::cli
