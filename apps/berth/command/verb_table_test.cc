#include "berth/command/verb_table.h"

#include <gtest/gtest.h>

#include <set>

#include "berth/command/help.h"

namespace berth::cli {
namespace {

TEST(VerbTable, EverySpellingIsUniqueAndOfAKnownGroup) {
  std::set<std::string> seen;
  for (const Spelling& spelling : spellings()) {
    const std::string text = fmt::format("{} {}", spelling.group, spelling.name);
    EXPECT_TRUE(seen.insert(text).second) << text;
    EXPECT_TRUE(spelling.group.empty() || find_group(spelling.group)) << text;
    EXPECT_EQ(find_spelling(spelling.group, spelling.name), &spelling);
  }
}

TEST(VerbTable, EveryVerbHasItsWords) {
  for (const Spelling& spelling : spellings()) {
    const Verb& verb = *spelling.verb;
    EXPECT_FALSE(verb.summary.empty()) << verb.name;
    EXPECT_FALSE(verb.usage.empty()) << verb.name;
    EXPECT_NE(verb.invoke, nullptr) << verb.name;
    EXPECT_LE(verb.operands.min, verb.operands.max) << verb.name;
  }
}

TEST(VerbTable, NoFlagIsSpelledTwice) {
  for (const Spelling& spelling : spellings()) {
    std::set<std::string_view> names;
    std::set<char> letters;
    for (const FlagSpec& flag : spelling.verb->flags) {
      EXPECT_TRUE(names.insert(flag.name).second) << spelling.name << " --" << flag.name;
      if (flag.shorthand == 0) continue;
      EXPECT_TRUE(letters.insert(flag.shorthand).second) << spelling.name << " -" << flag.shorthand;
    }
  }
}

TEST(Help, NamesUsageAliasesAndFlags) {
  const Spelling* ps = find_spelling("", "ps");
  ASSERT_NE(ps, nullptr);
  const std::string text = verb_help({*ps->verb, "ps"});
  EXPECT_TRUE(
      text.starts_with("Usage:  berth ps [OPTIONS]\n\nList containers\n\nAliases:\n  berth ps, "
                       "berth container ls, "));
  EXPECT_NE(
      text.find("\n  -a, --all             Show all containers (default shows just running)\n"),
      std::string::npos)
      << text;
  EXPECT_EQ(text.find("\n      --net "), std::string::npos);
}

TEST(Help, LinesFitATerminal) {
  for (const Spelling& spelling : spellings()) {
    const std::string text = verb_help({*spelling.verb, std::string(spelling.name)});
    const auto options = text.find("Options:");
    for (std::size_t begin = options; begin < text.size();) {
      const auto end = std::min(text.find('\n', begin), text.size());
      EXPECT_LE(end - begin, 80U) << text.substr(begin, end - begin);
      begin = end + 1;
    }
  }
}

}  // namespace
}  // namespace berth::cli
