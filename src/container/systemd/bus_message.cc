#include "container/systemd/bus_message.h"

#include <array>
#include <bit>

#include "container/systemd/bus_writer.h"

namespace berth::container {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kOwnOrder = std::endian::native == std::endian::little ? 'l' : 'B';
constexpr std::uint8_t kOtherOrder = kOwnOrder == 'l' ? 'B' : 'l';
constexpr std::size_t kHeaderAlignment = 8;

// "Header Fields": those that are used here. Others are passed over.
struct FieldRow {
  std::uint8_t code;
  std::string_view signature;
  std::string BusMessage::* field;
};
constexpr auto kFields = std::to_array<FieldRow>({
    {1, "o", &BusMessage::path},
    {2, "s", &BusMessage::interface},
    {3, "s", &BusMessage::member},
    {4, "s", &BusMessage::error_name},
    {6, "s", &BusMessage::destination},
    {7, "s", &BusMessage::sender},
    {8, "g", &BusMessage::signature},
});
constexpr std::uint8_t kReplySerial = 5;

Error corrupt(std::string_view what) {
  return fail(ErrorKind::kCorrupt, "a D-Bus message {}", what);
}

// The byte order: "swapped" or not.
Result<bool> order_of(std::string_view bytes) {
  const auto order = static_cast<std::uint8_t>(bytes[0]);
  if (order != kOwnOrder && order != kOtherOrder) return corrupt("has no byte order");
  if (bytes[3] != kVersion) return corrupt("is of another version of the protocol");
  return order == kOtherOrder;
}

Result<void> read_field(BusReader& reader, BusMessage& message) {
  TRY(reader.align(8));
  const std::uint8_t code = TRY(reader.read_byte());
  const std::string signature = TRY(reader.read_signature());
  if (code == kReplySerial) {
    if (signature != "u") return corrupt("has a header field of the wrong type");
    message.reply_serial = TRY(reader.read_uint32());
    return {};
  }
  for (const FieldRow& row : kFields) {
    if (row.code != code) continue;
    if (row.signature != signature) return corrupt("has a header field of the wrong type");
    message.*row.field = TRY(signature == "g" ? reader.read_signature() : reader.read_string());
    return {};
  }
  if (code == 0 || signature.empty() || first_type(signature) != signature)
    return corrupt("has a header field that is none");
  return reader.skip(signature);
}

// What a message of the type cannot be without: "Message Types".
Result<void> check(const BusMessage& message) {
  const bool answers = message.reply_serial != 0;
  bool whole = message.serial != 0;
  switch (message.type) {
    case BusMessageType::kCall:
      whole = whole && !message.path.empty() && !message.member.empty();
      break;
    case BusMessageType::kReturn:
      whole = whole && answers;
      break;
    case BusMessageType::kError:
      whole = whole && answers && !message.error_name.empty();
      break;
    case BusMessageType::kSignal:
      whole =
          whole && !message.path.empty() && !message.interface.empty() && !message.member.empty();
      break;
    default:
      break;
  }
  if (!whole) return corrupt("lacks a field that its type needs");
  for (std::string_view rest = message.signature; !rest.empty();) {
    const std::string_view type = first_type(rest);
    if (type.empty()) return corrupt("has a signature that is none");
    rest.remove_prefix(type.size());
  }
  return {};
}

}  // namespace

std::string encode(const BusMessage& message) {
  BusWriter out;
  out.write(kOwnOrder);
  out.write(static_cast<std::uint8_t>(message.type));
  out.write(std::uint8_t{0});  // flags
  out.write(kVersion);
  out.write(static_cast<std::uint32_t>(message.body.size()));
  out.write(message.serial);
  out.write_array(kHeaderAlignment, [&] {
    const auto begin = [&](std::uint8_t code, std::string_view signature) {
      out.align(kHeaderAlignment);
      out.write(code);
      out.write_signature(signature);
    };
    for (const FieldRow& row : kFields) {
      const std::string& value = message.*row.field;
      if (value.empty()) continue;
      begin(row.code, row.signature);
      if (row.signature == "g")
        out.write_signature(value);
      else
        out.write(value);
    }
    if (message.reply_serial == 0) return;
    begin(kReplySerial, "u");
    out.write(message.reply_serial);
  });
  out.align(kHeaderAlignment);
  return out.take() + message.body;
}

Result<std::size_t> length_of_message(std::string_view prefix) {
  if (prefix.size() < kBusPrefix) return corrupt("ends within its header");
  const bool swapped = TRY(order_of(prefix));
  BusReader reader(prefix.substr(0, kBusPrefix), swapped);
  TRY(reader.read_uint32());
  const std::size_t body = TRY(reader.read_uint32());
  TRY(reader.read_uint32());
  const std::size_t fields = TRY(reader.read_uint32());
  const std::size_t header =
      (kBusPrefix + fields + kHeaderAlignment - 1) / kHeaderAlignment * kHeaderAlignment;
  if (header > kMaxBusMessage || body > kMaxBusMessage - header)
    return fail(ErrorKind::kExhausted, "a D-Bus message is longer than {} bytes", kMaxBusMessage);
  return header + body;
}

Result<BusMessage> decode(std::string_view bytes) {
  if (TRY(length_of_message(bytes)) != bytes.size()) return corrupt("is not as long as it says");
  BusMessage message;
  message.swapped = TRY(order_of(bytes));
  message.type = static_cast<BusMessageType>(bytes[1]);
  if (bytes[1] == 0) return corrupt("has no type");
  BusReader reader(bytes, message.swapped);
  TRY(reader.read_uint32());
  const std::size_t body = TRY(reader.read_uint32());
  message.serial = TRY(reader.read_uint32());
  const std::size_t end = TRY(reader.begin_array(kHeaderAlignment));
  while (reader.position() < end) TRY(read_field(reader, message));
  if (reader.position() != end) return corrupt("has a header whose length is wrong");
  TRY(reader.align(kHeaderAlignment));
  message.body = bytes.substr(bytes.size() - body);
  TRY(check(message));
  if (message.signature.empty() != message.body.empty())
    return corrupt("has a body without a signature, or the reverse");
  return message;
}

}  // namespace berth::container
