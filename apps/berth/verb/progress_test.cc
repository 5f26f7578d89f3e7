#include "berth/verb/progress.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "berth/client/json_stream.h"

namespace berth::cli {
namespace {

std::string shown(int columns, std::initializer_list<const char*> messages) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* const out = ::open_memstream(&text, &size);
  Progress progress(out, columns);
  for (const char* message : messages) progress.show(MUST(parse_ordered(message, 4096)));
  std::fclose(out);
  std::string all(text, size);
  std::free(text);
  return all;
}

TEST(ProgressTest, LinesThatMoveAreLeftOutWhereThereIsNoTerminal) {
  EXPECT_EQ(
      shown(0, {R"({"status":"Pulling from a","id":"1"})",
                R"({"status":"Pulling fs layer","progressDetail":{},"id":"x"})",
                R"({"status":"Downloading","progressDetail":{"current":1,"total":2},"id":"x"})",
                R"({"status":"Pull complete","progressDetail":{},"id":"x"})",
                R"({"progressDetail":{},"aux":{"Tag":"1"}})", R"({"status":"Done"})"}),
      "1: Pulling from a\nx: Pulling fs layer\nx: Pull complete\nDone\n");
}

TEST(ProgressTest, OnATerminalALayerKeepsItsLine) {
  EXPECT_EQ(shown(80, {R"({"status":"a","progressDetail":{},"id":"x"})",
                       R"({"status":"b","progressDetail":{},"id":"y"})",
                       R"({"status":"c","progressDetail":{},"id":"x"})",
                       R"({"status":"d","progressDetail":{},"id":"y"})"}),
            "\x1b[2K\rx: a\n\x1b[2K\ry: b\n"
            "\x1b[2A\x1b[2K\rx: c\n\x1b[1B"
            "\x1b[1A\x1b[2K\ry: d\n");
}

TEST(ProgressTest, WhatComesFromOutsideDoesNotSteerTheTerminal) {
  EXPECT_EQ(shown(80, {R"({"status":"\u001b[2Jgone\u0007","id":"\u001bc"})"}),
            "\\x1bc: \\x1b[2Jgone\\x07\n");
}

TEST(ProgressTest, Bars) {
  EXPECT_EQ(progress_bar(5'000'000, 10'000'000, 70), "[=====>    ]  5MB/10MB");
  EXPECT_EQ(progress_bar(10'000'000, 10'000'000, 70), "[==========]  10MB/10MB");
  EXPECT_EQ(progress_bar(11, 10, 70), "[==========]  11B/10B");
  EXPECT_EQ(progress_bar(1, 0, 70), "1B/0B");
  EXPECT_EQ(progress_bar(1, 2, 20), "1B/2B");
}

}  // namespace
}  // namespace berth::cli
