// Any bytes: parse_json() answers with a value or an error, and what it accepted survives a round
// trip.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = berth::parse_json(text);
  if (!parsed.ok()) return 0;
  const auto again = berth::parse_json(berth::dump_json(*parsed));
  if (!again.ok() || *again != *parsed) std::abort();
  (void)berth::get_strings(*parsed, "a");
  (void)berth::get_string_map(*parsed, "a");
  (void)berth::get_int(*parsed, "a");
  return 0;
}
