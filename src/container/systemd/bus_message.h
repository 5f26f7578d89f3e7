// A message of D-Bus, as bytes and as values. D-Bus specification, "Message Format".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "container/systemd/bus_reader.h"

namespace berth::container {

/// What is read of the other side's. Answers of systemd are a path or a sentence, and what it tells
/// unasked are a unit's properties: kilobytes. The specification's own limit is 128 MiB.
inline constexpr std::size_t kMaxBusMessage = 1U << 20;
/// The part of a message that says how long the whole is.
inline constexpr std::size_t kBusPrefix = 16;

/// "Message Types". Others are to be ignored.
enum class BusMessageType : std::uint8_t { kCall = 1, kReturn = 2, kError = 3, kSignal = 4 };

struct BusMessage {
  BusMessageType type = BusMessageType::kCall;
  std::uint32_t serial = 0;
  std::uint32_t reply_serial = 0;  // of answers: the call's serial
  std::string path = {};
  std::string interface = {};
  std::string member = {};
  std::string error_name = {};
  std::string destination = {};
  std::string sender = {};  // set by a message bus
  std::string signature = {};
  std::string body = {};
  bool swapped = false;  // the body is in the other byte order

  BusReader reader() const { return BusReader(body, swapped); }
};

/// The message in this host's byte order; empty fields are left out.
std::string encode(const BusMessage& message);

/// How long the message is that begins with these kBusPrefix bytes. kCorrupt: it is none;
/// kExhausted: it is longer than kMaxBusMessage.
Result<std::size_t> length_of_message(std::string_view prefix);

/// `bytes` are one whole message. kCorrupt: they are none. The body is not looked into.
Result<BusMessage> decode(std::string_view bytes);

}  // namespace berth::container
