#include "berth/format/rows.h"

#include "berth/format/table.h"

namespace berth::cli {
namespace {

constexpr std::string_view kTable = "table";
constexpr std::string_view kJson = "json";

}  // namespace

Result<RowFormat> RowFormat::create(std::string_view format, std::string_view default_template,
                                    std::span<const Column> columns) {
  bool table = true;
  std::string text(default_template);
  if (format.starts_with("table ")) {
    text = template_text(format.substr(kTable.size() + 1));
  } else if (!format.empty() && format != kTable) {
    table = false;
    text = template_text(format);
  }
  return RowFormat(TRY(Template::parse(text)), table, columns);
}

Result<std::string> RowFormat::render(const std::vector<OrderedJson>& rows) const {
  std::string text;
  if (table_) {
    OrderedJson headings = OrderedJson::object();
    for (const Column& column : columns_) headings[std::string(column.field)] = column.heading;
    headings["Label"] = OrderedJson::object();
    text = TRY(row_.execute(headings)) + "\n";
  }
  for (const OrderedJson& row : rows) text += TRY(row_.execute(row)) + "\n";
  return table_ ? align_columns(text) : text;
}

std::string template_text(std::string_view format) {
  if (format == kJson) return "{{json .}}";
  std::string text;
  for (std::size_t i = 0; i < format.size(); ++i) {
    const std::string_view pair = format.substr(i, 2);
    if (pair == "\\t" || pair == "\\n") {
      text += pair == "\\t" ? '\t' : '\n';
      ++i;
    } else {
      text += format[i];
    }
  }
  return text;
}

std::string ellipsis(std::string_view text, std::size_t length) {
  std::size_t characters = 0;
  std::size_t cut = 0;  // behind the first length - 1 characters
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) == 0x80U) continue;
    if (characters == length - 1) cut = i;
    if (++characters > length) return std::string(text.substr(0, cut)) + "…";
  }
  return std::string(text);
}

std::string_view brief_id(std::string_view id) {
  if (const auto colon = id.find(':'); colon != std::string_view::npos) id.remove_prefix(colon + 1);
  return id.substr(0, 12);
}

}  // namespace berth::cli
