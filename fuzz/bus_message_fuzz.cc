// Any bytes as a message of D-Bus: a value or an error; a value is written to bytes that read as
// the same value, and its body can be walked through by its signature, or not, but never beyond its
// end.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "container/systemd/bus_message.h"

using namespace berth::container;  // NOLINT: every name is one of the module's

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto length = length_of_message(bytes); length.ok() && *length > kMaxBusMessage)
    std::abort();
  const auto message = decode(bytes);
  if (!message.ok()) return 0;
  BusReader reader = message->reader();
  (void)reader.skip(message->signature);
  if (reader.position() > message->body.size()) std::abort();
  const auto again = decode(encode(*message));
  // Without the fields that are passed over it is shorter, never longer.
  if (!again.ok() || again->body != message->body || again->signature != message->signature ||
      again->path != message->path || again->reply_serial != message->reply_serial)
    std::abort();
  return 0;
}
