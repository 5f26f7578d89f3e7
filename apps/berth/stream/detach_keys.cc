#include "berth/stream/detach_keys.h"

namespace berth::cli {
namespace {

constexpr std::string_view kDefaultKeys = "ctrl-p,ctrl-q";
constexpr std::string_view kControl = "ctrl-";

Result<char> parse_key(std::string_view key) {
  if (key.size() == 1) return key[0];
  if (key.starts_with(kControl) && key.size() == kControl.size() + 1) {
    char c = key.back();
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c >= '@' && c <= '_') return static_cast<char>(c - '@');
  }
  return fail(ErrorKind::kInvalid,
              "invalid detach keys: '{}' is neither a character nor ctrl-<letter>", key);
}

}  // namespace

Result<DetachKeys> DetachKeys::parse(std::string_view text) {
  if (text.empty()) text = kDefaultKeys;
  std::string sequence;
  for (;;) {
    const auto comma = text.find(',');
    sequence += TRY(parse_key(text.substr(0, comma)));
    if (comma == std::string_view::npos) return DetachKeys(std::move(sequence));
    text.remove_prefix(comma + 1);
  }
}

bool DetachKeys::feed(std::span<const char> keys, std::string& out) {
  for (const char key : keys) {
    if (key == sequence_[matched_]) {
      if (++matched_ == sequence_.size()) return true;
      continue;
    }
    // Not the sequence after all: what was held back is for the workload. This key may begin it
    // anew.
    out.append(sequence_, 0, matched_);
    matched_ = key == sequence_[0] ? 1 : 0;
    if (matched_ == 0) out += key;
  }
  return false;
}

}  // namespace berth::cli
