#include "base/strong_id.h"

#include <sys/random.h>

#include <array>
#include <cassert>
#include <cstdlib>

namespace berth {

std::string random_hex(std::size_t digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<unsigned char, 64> bytes;
  assert(digits % 2 == 0 && digits <= 2 * bytes.size());
  // getrandom(2): up to 256 bytes are never cut short once the pool is initialised, so a short
  // answer is fatal.
  if (::getrandom(bytes.data(), digits / 2, 0) != static_cast<ssize_t>(digits / 2)) std::abort();
  std::string text;
  text.reserve(digits);
  for (std::size_t i = 0; i < digits / 2; ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

}  // namespace berth
