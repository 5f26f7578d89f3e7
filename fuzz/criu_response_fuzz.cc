// Any bytes as an answer of criu: values or an error. What was read holds what it promises.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "container/checkpoint/criu_messages.h"
#include "container/checkpoint/protobuf.h"

namespace {

// Whatever the bytes are, the reader ends, and what it gives lies in them.
void check_reader(std::string_view bytes) {
  berth::container::ProtobufReader reader(bytes);
  for (std::size_t fields = 0; reader.next(); ++fields) {
    if (fields > bytes.size()) std::abort();
    const std::string_view part = reader.bytes();
    if (!part.empty() &&
        (part.data() < bytes.data() || part.data() + part.size() > bytes.data() + bytes.size()))
      std::abort();
  }
  if (reader.next()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_reader(bytes);
  const auto response = berth::container::decode_response(bytes);
  if (!response.ok()) {
    if (response.error().kind() != berth::ErrorKind::kCorrupt) std::abort();
    return 0;
  }
  if (response->script.size() > size || response->message.size() > size) std::abort();
  if (response->version < 0 || response->version > 999999) std::abort();
  return 0;
}
