#include "berth/client/target.h"

namespace berth::cli {
namespace {

void encode(std::string& out, std::string_view text, std::string_view also_safe) {
  constexpr std::string_view kSafe = "-_.~";
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : text) {
    const bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (alnum || kSafe.find(c) != std::string_view::npos ||
        also_safe.find(c) != std::string_view::npos) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    }
  }
}

}  // namespace

Target& Target::segment(std::string_view segment) {
  text_ += '/';
  if (segment.find("..") != std::string_view::npos || segment == ".") {
    for (const char c : segment) {
      if (c == '.') {
        text_ += "%2E";
      } else {
        encode(text_, std::string_view(&c, 1), ":@");
      }
    }
  } else {
    encode(text_, segment, "/:@");
  }
  return *this;
}

Target& Target::query(std::string_view name, std::string_view value) {
  text_ += has_query_ ? '&' : '?';
  has_query_ = true;
  text_ += name;
  text_ += '=';
  encode(text_, value, ":/,");
  return *this;
}

}  // namespace berth::cli
