// Table: rows of cells in columns that line up, in the widths of docker's tables.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace berth::cli {

struct TableStyle {
  std::size_t min_width = 10;  // of a column, padding included
  std::size_t padding = 3;
};

/// Lays out `text`, whose lines are rows and whose tabs end cells. The last cell of a row is not
/// padded; a line without tabs is left alone. Characters are counted, not bytes.
std::string align_columns(std::string_view text, TableStyle style = {});

}  // namespace berth::cli
