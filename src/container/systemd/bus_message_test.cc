#include "container/systemd/bus_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "container/systemd/bus_writer.h"

namespace berth::container {
namespace {

using namespace std::string_literals;

// A message as a message bus has written it, byte for byte: its answer to Hello.
const std::string kHelloAnswer =
    "l\2\1\1\t\0\0\0\1\0\0\0=\0\0\0"s + "\6\1s\0\4\0\0\0:1.0\0\0\0\0"s + "\5\1u\0\1\0\0\0"s +
    "\10\1g\0\1s\0\0"s + "\7\1s\0\24\0\0\0org.freedesktop.DBus\0\0\0\0"s + "\4\0\0\0:1.0\0"s;

// "ok", or what is wrong with it.
std::string outcome(const std::string& bytes) {
  const auto message = decode(bytes);
  return message.ok() ? "ok" : message.error().message();
}

template <typename T>
std::string written(const T& value) {
  BusWriter out;
  out.write(value);
  return out.take();
}

// A header whose fields are those bytes, in this host's order.
std::string message_with(const std::string& fields, char type = 2) {
  BusWriter out;
  for (const char c : {'l', type, '\0', '\1'}) out.write(static_cast<std::uint8_t>(c));
  out.write(std::uint32_t{0});
  out.write(std::uint32_t{1});
  out.write(static_cast<std::uint32_t>(fields.size()));
  std::string bytes = out.take() + fields;
  bytes.resize((bytes.size() + 7) / 8 * 8);
  return bytes;
}

const std::string kReplySerial = "\5\1u\0\1\0\0\0"s;

TEST(BusWriter, AlignsAndCountsAsTheSpecificationSays) {
  EXPECT_EQ(written("foo"), "\3\0\0\0foo\0"s);  // "Marshaling (Wire Format)", "Summary of D-Bus
  EXPECT_EQ(written("+"), "\1\0\0\0+\0"s);      // marshaling": its examples of strings
  EXPECT_EQ(written("bar"), "\3\0\0\0bar\0"s);
  EXPECT_EQ(written(true), "\1\0\0\0"s);
  // An array of one int64, 5: four bytes that are not counted come before it.
  BusWriter out;
  out.write_array(8, [&] { out.write(std::int64_t{5}); });
  EXPECT_EQ(out.take(), "\10\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0"s);
}

TEST(BusWriter, AnEmptyArrayHasThePaddingOfItsElements) {
  BusWriter out;
  out.write_array(8, [] {});
  EXPECT_EQ(out.take(), "\0\0\0\0\0\0\0\0"s);
}

TEST(BusWriter, AValueCarriesItsSignature) {
  struct Row {
    BusValue value;
    std::string bytes;
  };
  const Row rows[] = {
      {true, "\1b\0\0\1\0\0\0"s},
      {std::uint8_t{7}, "\1y\0\7"s},
      {std::int16_t{-2}, "\1n\0\0\xFE\xFF"s},
      {std::uint64_t{5}, "\1t\0\0\0\0\0\0\5\0\0\0\0\0\0\0"s},
      {"x"s, "\1s\0\0\1\0\0\0x\0"s},
      {std::vector<std::string>{"a", "b"}, "\2as\0\16\0\0\0\1\0\0\0a\0\0\0\1\0\0\0b\0"s},
      {std::vector<std::uint8_t>{1, 2}, "\2ay\0\2\0\0\0\1\2"s},
      {std::vector<std::uint32_t>{9}, "\2au\0\4\0\0\0\11\0\0\0"s},
      {std::vector<DeviceAllowance>{{"d", "r"}},
       "\5a(ss)\0\0\16\0\0\0\0\0\0\0\1\0\0\0d\0\0\0\1\0\0\0r\0"s},
  };
  for (const Row& row : rows) {
    BusWriter out;
    out.write_variant(row.value);
    std::string bytes = out.take();
    EXPECT_EQ(bytes, row.bytes) << signature_of(row.value);
  }
}

TEST(BusMessage, ReadsWhatAMessageBusHasWritten) {
  const auto message = decode(kHelloAnswer);
  ASSERT_TRUE(message.ok()) << message.error().message();
  EXPECT_EQ(message->type, BusMessageType::kReturn);
  EXPECT_EQ(message->reply_serial, 1U);
  EXPECT_EQ(message->sender, "org.freedesktop.DBus");
  EXPECT_EQ(message->destination, ":1.0");
  BusReader reader = message->reader();
  EXPECT_EQ(*reader.read_string(), ":1.0");
  EXPECT_TRUE(reader.at_end());
}

TEST(BusMessage, ReadsTheOtherByteOrder) {
  const std::string whole = "B\3\0\1\0\0\0\6\0\0\0\2\0\0\0\37"s + "\5\1u\0\0\0\0\1"s +
                            "\4\1s\0\0\0\0\1E\0\0\0\0\0\0\0"s + "\10\1g\0\1s\0\0"s + "\0\0\0\1x\0"s;
  const auto error = decode(whole);
  ASSERT_TRUE(error.ok()) << error.error().message();
  EXPECT_EQ(error->error_name, "E");
  EXPECT_EQ(error->reply_serial, 1U);
  EXPECT_EQ(*error->reader().read_string(), "x");
}

TEST(BusMessage, WhatIsWrittenIsRead) {
  const BusMessage call{.serial = 3,
                        .path = "/p",
                        .interface = "i.f",
                        .member = "M",
                        .destination = "d.e",
                        .signature = "s",
                        .body = written("text")};
  const auto read = decode(encode(call));
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(read->serial, 3U);
  EXPECT_EQ(read->path, "/p");
  EXPECT_EQ(read->interface, "i.f");
  EXPECT_EQ(read->member, "M");
  EXPECT_EQ(read->destination, "d.e");
  EXPECT_EQ(read->signature, "s");
  EXPECT_EQ(read->body, call.body);
}

TEST(BusMessage, NoPartOfOneIsOne) {
  for (std::size_t length = 0; length < kHelloAnswer.size(); ++length)
    EXPECT_FALSE(decode(kHelloAnswer.substr(0, length)).ok()) << length;
  EXPECT_FALSE(decode(kHelloAnswer + "\0"s).ok());
}

TEST(BusMessage, ALengthIsBelievedUpToABound) {
  std::string prefix = kHelloAnswer.substr(0, kBusPrefix);
  EXPECT_EQ(*length_of_message(prefix), kHelloAnswer.size());
  prefix.replace(4, 4, "\xFF\xFF\xFF\xFF");
  EXPECT_EQ(length_of_message(prefix).error().kind(), ErrorKind::kExhausted);
  prefix = kHelloAnswer.substr(0, kBusPrefix);
  prefix.replace(12, 4, "\xF9\xFF\xFF\xFF");
  EXPECT_EQ(length_of_message(prefix).error().kind(), ErrorKind::kExhausted);
}

TEST(BusMessage, FieldsOfLaterVersionsArePassedOver) {
  EXPECT_EQ(outcome(message_with(kReplySerial)), "ok");
  EXPECT_EQ(outcome(message_with(kReplySerial + "\144\1t\0\0\0\0\0\0\0\0\0\0\0\0\0"s)), "ok");
  EXPECT_EQ(outcome(message_with(kReplySerial + "\144\2as\0\0\0\0\6\0\0\0\1\0\0\0a\0"s)), "ok");
}

TEST(BusMessage, ATypeHasTheFieldsItNeeds) {
  EXPECT_THAT(outcome(message_with({}, 1)), testing::HasSubstr("lacks a field"));
  EXPECT_THAT(outcome(message_with({}, 2)), testing::HasSubstr("lacks a field"));
  EXPECT_THAT(outcome(message_with(kReplySerial, 3)), testing::HasSubstr("lacks a field"));
  EXPECT_THAT(outcome(message_with({}, 4)), testing::HasSubstr("lacks a field"));
  EXPECT_THAT(outcome(message_with({}, 0)), testing::HasSubstr("no type"));
}

TEST(BusMessage, SignaturesAreHeldAgainstTheirField) {
  EXPECT_THAT(outcome(message_with("\5\1s\0\1\0\0\0x\0"s)), testing::HasSubstr("wrong type"));
  EXPECT_THAT(outcome(message_with("\1\1s\0\1\0\0\0x\0"s)), testing::HasSubstr("wrong type"));
  for (const std::string& signature :
       {"a"s, "("s, "()"s, "(s"s, "{ss}"s, "a{s}"s, "a{vs}"s, "z"s, "ss"s, ""s, "a{sss}"s, ")"s}) {
    std::string field = "\144"s + static_cast<char>(signature.size()) + signature + "\0"s;
    field.resize(64);
    EXPECT_THAT(outcome(message_with(kReplySerial + field)), testing::HasSubstr("is none"))
        << signature;
  }
}

TEST(BusMessage, NestingHasAnEnd) {
  // Arrays in arrays, as deep as a signature is long.
  const std::string arrays(250, 'a');
  std::string field = "\144\373"s + arrays + "y\0"s;
  field.resize(field.size() + 16);
  EXPECT_FALSE(decode(message_with(kReplySerial + field)).ok());
  // Variants in variants, as many as there are bytes.
  std::string variants = "\144\1v\0"s;
  for (int i = 0; i < 10000; ++i) variants += "\1v\0"s;
  variants += "\1y\0\0"s;
  EXPECT_THAT(outcome(message_with(kReplySerial + variants)), testing::HasSubstr("too deep"));
}

TEST(BusReader, StringsEndWhereTheySay) {
  for (const std::string& bytes :
       {"\3\0\0\0fo\0\0"s, "\2\0\0\0foo\0"s, "\377\377\377\377foo\0"s, "\3\0\0\0foo"s, "\3\0"s})
    EXPECT_EQ(BusReader(bytes, false).read_string().error().kind(), ErrorKind::kCorrupt);
}

TEST(BusReader, ArraysEndWhereTheySay) {
  EXPECT_TRUE(BusReader("\4\0\0\0\1\0\0\0"s, false).skip("au").ok());
  EXPECT_FALSE(BusReader("\3\0\0\0\1\0\0\0"s, false).skip("au").ok());
  EXPECT_FALSE(BusReader("\10\0\0\0\1\0\0\0"s, false).skip("au").ok());
  EXPECT_FALSE(BusReader("\377\377\377\377\1\0\0\0"s, false).skip("au").ok());
}

TEST(BusReader, PaddingIsZero) {
  EXPECT_TRUE(BusReader("\1\0\0\0\2\0\0\0"s, false).skip("yu").ok());
  EXPECT_FALSE(BusReader("\1\0\1\0\2\0\0\0"s, false).skip("yu").ok());
}

}  // namespace
}  // namespace berth::container
