#include "berth/format/rows.h"

#include <gtest/gtest.h>

#include <array>

namespace berth::cli {
namespace {

constexpr std::array kColumns = {Column{"ID", "CONTAINER ID"}, Column{"Name", "NAMES"}};

std::string render(std::string_view format) {
  const std::vector<OrderedJson> rows = {{{"ID", "abc"}, {"Name", "web"}},
                                         {{"ID", "def"}, {"Name", "db"}}};
  const auto parsed = RowFormat::create(format, "{{.ID}}\t{{.Name}}", kColumns);
  if (!parsed.ok()) return parsed.error().message();
  auto text = parsed->render(rows);
  return text.ok() ? *text : text.error().message();
}

TEST(RowFormat, TablesHaveHeadings) {
  const std::string expected = "CONTAINER ID   NAMES\nabc            web\ndef            db\n";
  EXPECT_EQ(render(""), expected);
  EXPECT_EQ(render("table"), expected);
  EXPECT_EQ(render("table {{.Name}}"), "NAMES\nweb\ndb\n");
  EXPECT_EQ(render(R"(table {{.Name}}\t{{.ID}})"),
            "NAMES     CONTAINER ID\nweb       abc\ndb        def\n");
}

TEST(RowFormat, TemplatesAndJsonHaveNone) {
  EXPECT_EQ(render(R"({{.Name}}\t{{.ID}})"), "web\tabc\ndb\tdef\n");
  EXPECT_EQ(render("json"),
            "{\"ID\":\"abc\",\"Name\":\"web\"}\n{\"ID\":\"def\",\"Name\":\"db\"}\n");
  EXPECT_TRUE(render("{{.Nope}}").starts_with("template parsing error"));
}

TEST(Ellipsis, CountsCharacters) {
  EXPECT_EQ(ellipsis("short", 5), "short");
  EXPECT_EQ(ellipsis("longer", 5), "long…");
  EXPECT_EQ(ellipsis("äöüäöü", 4), "äöü…");
  EXPECT_EQ(brief_id("sha256:0123456789abcdef"), "0123456789ab");
  EXPECT_EQ(brief_id("xyz"), "xyz");
}

}  // namespace
}  // namespace berth::cli
