#include "api/docker/query.h"

#include <gtest/gtest.h>

namespace berth::docker {
namespace {

TEST(Query, DecodesNamesAndValues) {
  const auto query = Query::parse("name=a%2Fb+c&a%20b=%C3%A4&empty=&bare");
  ASSERT_TRUE(query.ok());
  EXPECT_EQ(query->get("name"), "a/b c");
  EXPECT_EQ(query->get("a b"), "ä");
  EXPECT_TRUE(query->has("empty"));
  EXPECT_TRUE(query->has("bare"));
  EXPECT_EQ(query->get("absent"), "");
}

TEST(Query, RefusesBrokenEscapesAndNullBytes) {
  for (const char* text : {"a=%", "a=%2", "a=%zz", "%G0=b", "a=%00"}) {
    const auto query = Query::parse(text);
    ASSERT_FALSE(query.ok()) << text;
    EXPECT_EQ(query.error().kind(), ErrorKind::kInvalid) << text;
  }
}

TEST(Query, RefusesTooManyParameters) {
  std::string text;
  for (std::size_t i = 0; i <= Query::kMaxParameters; ++i) text += "a=b&";
  const auto query = Query::parse(text);
  ASSERT_FALSE(query.ok());
  EXPECT_EQ(query.error().kind(), ErrorKind::kExhausted);
}

TEST(Query, ReadsBooleansAsDockerDoes) {
  const auto query = Query::parse("a=0&b=False&c=&d=no&e=none&f=1&g=true&h=True&i=yes&j");
  ASSERT_TRUE(query.ok());
  for (const char* name : {"a", "b", "c", "d", "e", "j", "absent"})
    EXPECT_FALSE(query->flag(name)) << name;
  for (const char* name : {"f", "g", "h", "i"}) EXPECT_TRUE(query->flag(name)) << name;
  EXPECT_TRUE(query->flag("absent", true));
}

TEST(Query, ReadsIntegersWhole) {
  const auto query = Query::parse("a=10&b=-1&c=1x&d=99999999999999999999&e=&f=1.5");
  ASSERT_TRUE(query.ok());
  EXPECT_EQ(query->integer("a").value(), 10);
  EXPECT_EQ(query->integer("b").value(), -1);
  EXPECT_EQ(query->integer("e").value(), std::nullopt);
  for (const char* name : {"c", "d", "f"}) EXPECT_FALSE(query->integer(name).ok()) << name;
}

TEST(Query, CollectsRepeatedParameters) {
  const auto query = Query::parse("changes=CMD+a&x=1&changes=ENV+b=c");
  ASSERT_TRUE(query.ok());
  EXPECT_EQ(query->all("changes"), (std::vector<std::string>{"CMD a", "ENV b=c"}));
}

}  // namespace
}  // namespace berth::docker
