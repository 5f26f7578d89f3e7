#include "berth/format/table.h"

#include <algorithm>
#include <ranges>

namespace berth::cli {
namespace {

// Code points: every byte of UTF-8 that does not continue a character begins one.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0;;) {
    const auto end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

}  // namespace

std::string align_columns(std::string_view text, TableStyle style) {
  const bool ends_line = text.ends_with('\n');
  if (ends_line) text.remove_suffix(1);
  if (text.empty()) return ends_line ? "\n" : "";

  std::vector<std::vector<std::string_view>> rows;
  std::vector<std::size_t> widths;
  for (const auto line : split(text, '\n')) {
    rows.push_back(split(line, '\t'));
    const auto& cells = rows.back();
    if (widths.size() < cells.size()) widths.resize(cells.size(), style.min_width);
    for (std::size_t i = 0; i + 1 < cells.size(); ++i)
      widths[i] = std::max(widths[i], width_of(cells[i]) + style.padding);
  }

  std::string out;
  for (const auto& cells : rows) {
    for (std::size_t i = 0; i + 1 < cells.size(); ++i) {
      out += cells[i];
      out.append(widths[i] - width_of(cells[i]), ' ');
    }
    out += cells.back();
    out += '\n';
  }
  if (!ends_line) out.pop_back();
  return out;
}

}  // namespace berth::cli
