// Any bytes as a message between engine and holder, or as one of the holder's records: a value or
// an error, and a value is written to a text that reads as the same value.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "holder/protocol.h"

namespace {

using namespace berth::holder;  // NOLINT: every name is one of the protocol's

// Values have no equality of their own: their texts are compared. A text may be longer than what
// was read, for it has every member.
template <typename Encode, typename Decode>
void check_trip(const std::string& text, std::size_t cap, Decode decode, Encode encode) {
  if (text.size() > cap) return;
  const auto again = decode(text);
  if (!again.ok() || encode(*again) != text) std::abort();
}

void check_engine_message(std::string_view bytes) {
  const auto encode_request = [](const Request& request) {
    return encode(request.body, request.sequence);
  };
  const auto request = decode_engine_message(bytes);
  if (!request.ok()) return;
  if (const auto* attach = std::get_if<Attach>(&request->body))
    if (attach->early_input.size() > kMaxEarlyInput) std::abort();
  if (const auto* signal = std::get_if<Signal>(&request->body))
    if (signal->number < 0) std::abort();
  check_trip(encode_request(*request), kMaxMessage, decode_engine_message, encode_request);
}

void check_holder_message(std::string_view bytes) {
  const auto encode_message = [](const HolderMessage& message) { return encode(message); };
  const auto message = decode_holder_message(bytes);
  if (!message.ok()) return;
  if (const auto* exited = std::get_if<Exited>(&*message))
    if (exited->exit_code < 0) std::abort();
  check_trip(encode_message(*message), kMaxMessage, decode_holder_message, encode_message);
}

void check_records(std::string_view bytes) {
  const auto exited = exit_record_from_json(bytes);
  if (exited.ok()) {
    if (exited->exit_code < 0) std::abort();
    check_trip(exit_record_to_json(*exited), kMaxMessage, exit_record_from_json,
               exit_record_to_json);
  }
  const auto started = started_record_from_json(bytes);
  if (started.ok()) {
    if (started->pid < 0 || started->holder_pid < 0) std::abort();
    check_trip(started_record_to_json(*started), kMaxMessage, started_record_from_json,
               started_record_to_json);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_engine_message(bytes);
  check_holder_message(bytes);
  check_records(bytes);
  return 0;
}
