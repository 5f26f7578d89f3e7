#include "container/checkpoint/protobuf.h"

namespace berth::container {
namespace {

// How a field is written: the low three bits of its key.
enum WireType : std::uint64_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

constexpr unsigned kWireBits = 3;
constexpr unsigned kGroupBits = 7;  // of a varint, in each of its bytes
constexpr unsigned char kMore = 0x80;
constexpr unsigned kLastShift = 63;  // of the tenth byte, which has one bit of the number
constexpr std::uint64_t kMaxField = (1U << 29) - 1;

std::uint64_t key(std::uint32_t field, WireType type) {
  return (std::uint64_t{field} << kWireBits) | type;
}

}  // namespace

void ProtobufWriter::varint(std::uint64_t value) {
  for (; value >= kMore; value >>= kGroupBits) bytes_ += static_cast<char>((value & 0x7f) | kMore);
  bytes_ += static_cast<char>(value);
}

void ProtobufWriter::number(std::uint32_t field, std::int64_t value) {
  varint(key(field, kVarint));
  varint(static_cast<std::uint64_t>(value));
}

void ProtobufWriter::bytes(std::uint32_t field, std::string_view value) {
  varint(key(field, kBytes));
  varint(value.size());
  bytes_ += value;
}

bool ProtobufReader::fail() {
  failed_ = true;
  rest_ = {};
  return false;
}

bool ProtobufReader::varint(std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift <= kLastShift; shift += kGroupBits) {
    if (rest_.empty()) return fail();
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    if (shift == kLastShift && byte > 1) return fail();  // more than 64 bits
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < kMore) return true;
  }
  return fail();
}

bool ProtobufReader::take(std::uint64_t count, std::string_view& taken) {
  if (count > rest_.size()) return fail();
  taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return true;
}

bool ProtobufReader::next() {
  while (!failed_ && !rest_.empty()) {
    number_ = 0;
    bytes_ = {};
    std::uint64_t key = 0;
    if (!varint(key)) return false;
    if ((key >> kWireBits) == 0 || (key >> kWireBits) > kMaxField) return fail();
    field_ = static_cast<std::uint32_t>(key >> kWireBits);
    std::uint64_t size = 0;
    switch (key & ((1U << kWireBits) - 1)) {
      case kVarint:
        is_bytes_ = false;
        return varint(number_);
      case kBytes:
        is_bytes_ = true;
        return varint(size) && take(size, bytes_);
      case kFixed64:
        if (!take(8, bytes_)) return false;
        break;
      case kFixed32:
        if (!take(4, bytes_)) return false;
        break;
      default:
        return fail();
    }
  }
  return false;
}

}  // namespace berth::container
