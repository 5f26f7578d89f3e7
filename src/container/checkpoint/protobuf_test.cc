// The wire format, by the examples of its documentation, and bytes that are none.
#include "container/checkpoint/protobuf.h"

#include <gtest/gtest.h>

#include <limits>

namespace berth::container {
namespace {

using namespace std::string_view_literals;

// The number of fields until the end; -1: an error.
int fields_of(std::string_view bytes) {
  ProtobufReader reader(bytes);
  int count = 0;
  while (reader.next()) ++count;
  return reader.ok() ? count : -1;
}

TEST(Protobuf, WritesWhatItsDocumentationShows) {
  ProtobufWriter number;
  number.number(1, 150);
  EXPECT_EQ(number.take(), "\x08\x96\x01"sv);
  ProtobufWriter text;
  text.bytes(2, "testing");
  EXPECT_EQ(text.take(), "\x12\x07testing"sv);
}

TEST(Protobuf, ReadsWhatItWrites) {
  ProtobufWriter inner;
  inner.bytes(1, "key");
  inner.number(2, 7);
  ProtobufWriter outer;
  outer.number(1, std::numeric_limits<std::int64_t>::max());
  outer.number(2, -1);
  outer.flag(3, true);
  outer.bytes(4, inner.take());
  outer.bytes(536870911, "");
  const std::string bytes = outer.take();

  ProtobufReader reader(bytes);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.field(), 1U);
  EXPECT_EQ(reader.number(), 0x7fffffffffffffffU);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.int32(), -1);
  ASSERT_TRUE(reader.next());
  EXPECT_TRUE(reader.flag());
  ASSERT_TRUE(reader.next());
  EXPECT_TRUE(reader.is_bytes());
  EXPECT_EQ(fields_of(reader.bytes()), 2);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.field(), 536870911U);
  EXPECT_TRUE(reader.bytes().empty());
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.ok());
}

TEST(Protobuf, PassesOverFieldsOfAFixedSize) {
  ProtobufReader reader("\x09........\x15....\x08\x05"sv);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.field(), 1U);
  EXPECT_FALSE(reader.is_bytes());
  EXPECT_EQ(reader.number(), 5U);
  EXPECT_TRUE(reader.bytes().empty());
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.ok());
}

TEST(Protobuf, TakesNothingThatEndsTooSoon) {
  for (const std::string_view bytes :
       {"\x08"sv, "\x08\x96"sv, "\x12"sv, "\x12\x05"sv, "\x12\x05test"sv, "\x09......."sv,
        "\x15..."sv, "\x80"sv, "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"sv})
    EXPECT_EQ(fields_of(bytes), -1) << testing::PrintToString(bytes);
}

TEST(Protobuf, TakesNoNumberOfMoreThan64Bits) {
  EXPECT_EQ(fields_of("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv), 1);
  EXPECT_EQ(fields_of("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"sv), -1);
  EXPECT_EQ(fields_of("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"sv), -1);
}

TEST(Protobuf, TakesNoFieldZeroNoHugeFieldAndNoGroup) {
  EXPECT_EQ(fields_of("\x00\x01"sv), -1);
  EXPECT_EQ(fields_of("\x80\x80\x80\x80\x10\x01"sv), -1);  // 2^29
  EXPECT_EQ(fields_of("\x0b\x0c"sv), -1);
  EXPECT_EQ(fields_of("\x0e"sv), -1);
  EXPECT_EQ(fields_of("\x0f"sv), -1);
}

TEST(Protobuf, StaysAtTheEndAfterAnError) {
  ProtobufReader reader("\x0b\x08\x01"sv);
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.ok());
}

}  // namespace
}  // namespace berth::container
