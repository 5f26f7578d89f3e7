#include "berth/format/indent.h"

#include <gtest/gtest.h>

namespace berth::cli {
namespace {

TEST(IndentJson, FourSpacesALevel) {
  EXPECT_EQ(indent_json(R"([{"b":1,"a":{"x":[1, 2],"e":{},"l":[ ]},"s":"a{,:\"}"}])"),
            "[\n"
            "    {\n"
            "        \"b\": 1,\n"
            "        \"a\": {\n"
            "            \"x\": [\n"
            "                1,\n"
            "                2\n"
            "            ],\n"
            "            \"e\": {},\n"
            "            \"l\": []\n"
            "        },\n"
            "        \"s\": \"a{,:\\\"}\"\n"
            "    }\n"
            "]");
  EXPECT_EQ(indent_json("[]"), "[]");
  EXPECT_EQ(indent_json("5"), "5");
}

TEST(IndentJson, NumbersAndEscapesAreKept) {
  EXPECT_EQ(indent_json(R"({"n":1.50e3,"u":"\u003c"})"),
            "{\n    \"n\": 1.50e3,\n    \"u\": \"\\u003c\"\n}");
}

}  // namespace
}  // namespace berth::cli
