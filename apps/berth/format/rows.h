// Rows: what ps and images print, by --format: "table", "table TEMPLATE", "json" or a template for
// each row.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "berth/format/template.h"

namespace berth::cli {

/// A field of the rows, and its heading in tables.
struct Column {
  std::string_view field;
  std::string_view heading;
};

class RowFormat {
 public:
  /// `default_template` is what a plain table shows: "{{.ID}}\t{{.Names}}". kInvalid: the template
  /// cannot be parsed.
  static Result<RowFormat> create(std::string_view format, std::string_view default_template,
                                  std::span<const Column> columns);

  /// The text for standard output. A member "Label" of a row is for templates alone: {{.Label
  /// "key"}}.
  Result<std::string> render(const std::vector<OrderedJson>& rows) const;

 private:
  RowFormat(Template row, bool table, std::span<const Column> columns)
      : row_(std::move(row)), table_(table), columns_(columns) {}

  Template row_;
  bool table_;
  std::span<const Column> columns_;
};

/// The template that --format means where the whole answer is one object: "json" is "{{json .}}";
/// "\t" and "\n" are what they spell.
std::string template_text(std::string_view format);

/// At most `length` characters, the last an ellipsis if there were more.
std::string ellipsis(std::string_view text, std::size_t length);

/// Twelve digits of an id, without "sha256:".
std::string_view brief_id(std::string_view id);

}  // namespace berth::cli
