// Protocol Buffers' wire format, as much as a conversation of small messages needs: varints,
// strings and messages in messages. https://protobuf.dev/programming-guides/encoding. A library
// for it would be larger than all of berth-runtime.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace berth::container {

/// Writes fields one after the other. Field numbers are 1 to 2^29 - 1.
class ProtobufWriter {
 public:
  /// Numbers, enums; a negative int32 as the ten bytes that the format wants.
  void number(std::uint32_t field, std::int64_t value);
  void flag(std::uint32_t field, bool value) { number(field, value ? 1 : 0); }
  /// A string, bytes, or a message that was written before.
  void bytes(std::uint32_t field, std::string_view value);

  std::string take() { return std::move(bytes_); }

 private:
  void varint(std::uint64_t value);

  std::string bytes_;
};

/// Reads fields in the order they come. The bytes are the sender's: nothing is read beyond their
/// end, and after the first error next() says false and ok() too. Borrows them.
class ProtobufReader {
 public:
  explicit ProtobufReader(std::string_view bytes) : rest_(bytes) {}

  /// Goes to the next field; false at the end, or after an error. Fields of a fixed size are
  /// passed over; groups, which nobody writes any more, are an error.
  bool next();
  bool ok() const { return !failed_; }

  std::uint32_t field() const { return field_; }
  /// Whether it holds bytes; else it holds a number. One that is asked for the other is empty, or
  /// zero.
  bool is_bytes() const { return is_bytes_; }
  std::string_view bytes() const { return bytes_; }
  std::uint64_t number() const { return number_; }
  /// The low half, as the format has it for int32 and enums.
  std::int32_t int32() const { return static_cast<std::int32_t>(number_); }
  bool flag() const { return number_ != 0; }

 private:
  bool varint(std::uint64_t& value);
  bool take(std::uint64_t count, std::string_view& taken);
  bool fail();

  std::string_view rest_;
  std::uint32_t field_ = 0;
  bool is_bytes_ = false;
  bool failed_ = false;
  std::uint64_t number_ = 0;
  std::string_view bytes_;
};

}  // namespace berth::container
