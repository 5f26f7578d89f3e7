#include "holder/detach_keys.h"

#include <optional>

namespace berth::holder {
namespace {

constexpr std::string_view kDefaultKeys = "\x10\x11";  // ctrl-p, ctrl-q

std::optional<char> parse_key(std::string_view key) {
  constexpr std::string_view kControl = "ctrl-";
  if (key.size() == 1) return key[0];
  if (key == "DEL") return '\x7f';
  if (key.size() != kControl.size() + 1 || !key.starts_with(kControl)) return std::nullopt;
  // The control characters 0 to 31 in the order of ASCII.
  constexpr std::string_view kLetters = "@abcdefghijklmnopqrstuvwxyz[\\]^_";
  const std::size_t code = kLetters.find(key.back());
  if (code == std::string_view::npos) return std::nullopt;
  return static_cast<char>(code);
}

}  // namespace

Result<std::string> parse_detach_keys(std::string_view text) {
  if (text.empty()) return std::string(kDefaultKeys);
  std::string keys;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view part = text.substr(begin, end - begin);
    const auto key = parse_key(part);
    if (!key)
      return fail(ErrorKind::kInvalid,
                  "detach key '{}' is neither a character, nor 'ctrl-' and a letter, nor 'DEL'",
                  part);
    keys += *key;
    begin = end + 1;
  }
  if (keys.size() > kMaxDetachKeys)
    return fail(ErrorKind::kInvalid, "{} detach keys, at most {}", keys.size(), kMaxDetachKeys);
  return keys;
}

DetachMatcher::Fed DetachMatcher::feed(std::string_view typed) {
  Fed fed;
  for (const char c : typed) {
    // A mismatch lets go of the shortest start of what is held that lets the rest still match.
    while (matched_ > 0 && keys_[matched_] != c) {
      std::size_t kept = matched_ - 1;
      while (kept > 0 && keys_.compare(0, kept, keys_, matched_ - kept, kept) != 0) --kept;
      fed.input.append(keys_, 0, matched_ - kept);
      matched_ = kept;
    }
    if (keys_[matched_] != c) {
      fed.input += c;
      continue;
    }
    if (++matched_ == keys_.size()) {
      matched_ = 0;
      fed.detached = true;
      return fed;
    }
  }
  return fed;
}

}  // namespace berth::holder
