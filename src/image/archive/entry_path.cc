#include "image/archive/entry_path.h"

#include <algorithm>

namespace berth::image {
namespace {

constexpr std::string_view kWhiteoutPrefix = ".wh.";
constexpr std::string_view kInternalPrefix = ".wh..wh.";
constexpr std::string_view kOpaqueName = ".wh..wh..opq";
constexpr std::size_t kMaxQuoted = 200;

}  // namespace

std::string quote_name(std::string_view raw) {
  std::string text = "'";
  text += raw.substr(0, kMaxQuoted);
  std::ranges::replace_if(text, [](char c) { return c < ' ' || c == '\x7f'; }, '?');
  if (raw.size() > kMaxQuoted) text += "...";
  return text + "'";
}

Result<std::string> clean_entry_path(std::string_view raw) {
  if (raw.size() > kMaxEntryPath) {
    return fail(ErrorKind::kInvalid, "entry {}: its name is longer than {} bytes", quote_name(raw),
                kMaxEntryPath);
  }
  std::string clean;
  std::string_view rest = raw;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('/'), rest.size());
    const auto part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (clean.empty()) {
        return fail(ErrorKind::kInvalid, "entry {} leads out of the root", quote_name(raw));
      }
      const auto slash = clean.rfind('/');
      clean.resize(slash == std::string::npos ? 0 : slash);
      continue;
    }
    if (!clean.empty()) clean += '/';
    clean += part;
  }
  return clean;
}

SplitPath split_path(std::string_view clean) {
  const auto slash = clean.rfind('/');
  if (slash == std::string_view::npos) return {"", clean};
  return {clean.substr(0, slash), clean.substr(slash + 1)};
}

Result<Whiteout> parse_whiteout(std::string_view name) {
  if (!name.starts_with(kWhiteoutPrefix)) return Whiteout{};
  if (name == kOpaqueName) return Whiteout{Whiteout::Kind::kOpaque, {}};
  if (name.starts_with(kInternalPrefix)) return Whiteout{Whiteout::Kind::kInternal, {}};
  const auto target = name.substr(kWhiteoutPrefix.size());
  if (target.empty() || target == "." || target == "..") {
    return fail(ErrorKind::kInvalid, "entry {} is a whiteout of no name", quote_name(name));
  }
  return Whiteout{Whiteout::Kind::kRemove, target};
}

}  // namespace berth::image
