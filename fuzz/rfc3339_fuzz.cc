// Any bytes: parse_rfc3339() answers with a time or an error, and a time it accepted prints to one
// it reads as the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/clock.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed =
      berth::parse_rfc3339(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!parsed.ok()) return 0;
  for (const std::string& text :
       {berth::format_rfc3339(*parsed), berth::format_rfc3339_fixed(*parsed)}) {
    const auto again = berth::parse_rfc3339(text);
    if (!again.ok() || *again != *parsed) std::abort();
  }
  return 0;
}
