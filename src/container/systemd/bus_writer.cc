#include "container/systemd/bus_writer.h"

#include <array>
#include <cstring>

namespace berth::container {
namespace {

// In the order of BusValue's alternatives.
constexpr auto kSignatures = std::to_array<std::string_view>(
    {"b", "y", "n", "q", "i", "u", "x", "t", "d", "s", "as", "ay", "au", "a(ss)"});
static_assert(kSignatures.size() == std::variant_size_v<BusValue>);

}  // namespace

std::string_view signature_of(const BusValue& value) {
  return kSignatures[value.index()];
}

void BusWriter::write(std::string_view text) {
  write(static_cast<std::uint32_t>(text.size()));
  bytes_.append(text);
  bytes_ += '\0';
}

void BusWriter::write(const DeviceAllowance& entry) {
  align(8);
  write(entry.device);
  write(entry.access);
}

void BusWriter::write_signature(std::string_view signature) {
  write(static_cast<std::uint8_t>(signature.size()));
  bytes_.append(signature);
  bytes_ += '\0';
}

void BusWriter::write_value(const BusValue& value) {
  std::visit([this](const auto& held) { write(held); }, value);
}

void BusWriter::write_variant(const BusValue& value) {
  write_signature(signature_of(value));
  write_value(value);
}

void BusWriter::set_length(std::size_t at, std::size_t length) {
  const auto value = static_cast<std::uint32_t>(length);
  std::memcpy(bytes_.data() + at, &value, sizeof value);
}

}  // namespace berth::container
