#include "container/systemd/annotations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::container {
namespace {

using ::testing::HasSubstr;

TEST(ParsePropertyValue, TakesTheFormsOfGVariant) {
  struct Row {
    const char* text;
    BusValue value;
  };
  const Row rows[] = {
      {"'inactive-or-failed'", std::string("inactive-or-failed")},
      {"\"it's\"", std::string("it's")},
      {R"('a\'b\\\n')", std::string("a'b\\\n")},
      {"''", std::string()},
      {"true", true},
      {" false ", false},
      {"5", std::int32_t{5}},
      {"-5", std::int32_t{-5}},
      {"uint64 123456789", std::uint64_t{123456789}},
      {"byte 7", std::uint8_t{7}},
      {"int16 -3", std::int16_t{-3}},
      {"uint16 3", std::uint16_t{3}},
      {"int32 3", std::int32_t{3}},
      {"uint32  3", std::uint32_t{3}},
      {"int64 3", std::int64_t{3}},
      {"0.5", 0.5},
      {"double 2", 2.0},
      {"['a', \"b\"]", std::vector<std::string>{"a", "b"}},
      {"@as []", std::vector<std::string>()},
      {"[ 'a' ]", std::vector<std::string>{"a"}},
  };
  for (const Row& row : rows) {
    const auto value = parse_property_value(row.text);
    ASSERT_TRUE(value.ok()) << row.text << ": " << value.error().message();
    EXPECT_EQ(*value, row.value) << row.text;
  }
}

TEST(ParsePropertyValue, RefusesTheRest) {
  for (const char* text :
       {"",           "text", "'open",  "'a' 'b'",   "uint64", "uint64 -1", "byte 256",
        "2147483648", "0x10", "[1, 2]", "['a' 'b']", "['a'",   "['a',]",    "{'a': 1}",
        "<1>",        "@i 5", "1.5.5",  R"('\q')",   R"('\)",  "truely",    "uint64 5 6"})
    EXPECT_EQ(parse_property_value(text).error().kind(), ErrorKind::kInvalid) << text;
}

TEST(AnnotatedProperties, AreTheOnesOfThePrefix) {
  const auto properties =
      annotated_properties({{"org.systemd.property.CollectMode", "'inactive'"},
                            {"org.systemd.property.TimeoutStopSec", "5"},
                            {"org.systemd.property.TimeoutStartUSec", "uint64 5"},
                            {"org.systemd.property.WatchdogSec", "0.25"},
                            {"com.example", "nothing"}});
  ASSERT_TRUE(properties.ok()) << properties.error().message();
  EXPECT_EQ(*properties, (std::vector<UnitProperty>{{"CollectMode", std::string("inactive")},
                                                    {"TimeoutStartUSec", std::uint64_t{5}},
                                                    {"TimeoutStopUSec", std::uint64_t{5000000}},
                                                    {"WatchdogUSec", std::uint64_t{250000}}}));
}

TEST(AnnotatedProperties, AnErrorNamesTheAnnotation) {
  for (const auto& [name, value] : std::map<std::string, std::string>{{"Ab", "1"},
                                                                      {"A-b", "1"},
                                                                      {"CollectMode", "inactive"},
                                                                      {"TimeoutStopSec", "'5'"},
                                                                      {"StopSec", "-1"},
                                                                      {"XySec", "true"}}) {
    const auto properties = annotated_properties({{"org.systemd.property." + name, value}});
    ASSERT_FALSE(properties.ok()) << name;
    EXPECT_THAT(properties.error().message(), HasSubstr("org.systemd.property." + name));
  }
}

}  // namespace
}  // namespace berth::container
