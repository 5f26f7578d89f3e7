#include "image/erofs/xattrs.h"

#include <algorithm>
#include <array>
#include <optional>

#include "image/archive/entry_path.h"

namespace berth::image::erofs {
namespace {

/// What a name starts with is a number; all of an ACL's name is.
struct Prefix {
  std::string_view text;
  std::uint8_t number;
  bool whole;
};
constexpr auto kPrefixes = std::to_array<Prefix>({
    {"user.", 1, false},
    {"system.posix_acl_access", 2, true},
    {"system.posix_acl_default", 3, true},
    {"trusted.", 4, false},
    {"security.", 6, false},
});

std::optional<Prefix> prefix_of(std::string_view name) {
  const auto found = std::ranges::find_if(kPrefixes, [&](const Prefix& prefix) {
    return prefix.whole ? name == prefix.text
                        : name.starts_with(prefix.text) && name.size() > prefix.text.size();
  });
  return found == kPrefixes.end() ? std::nullopt : std::optional(*found);
}

std::uint32_t number_at(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i)
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  return value;
}

/// acl(5); include/uapi/linux/posix_acl_xattr.h: version 2, then tag, permissions and id of each.
/// One that the kernel cannot read makes the file unusable.
bool is_acl(std::string_view value) {
  constexpr std::size_t kHeader = 4;
  constexpr std::size_t kEntry = 8;
  constexpr auto kTags = std::to_array<std::uint32_t>({0x01, 0x02, 0x04, 0x08, 0x10, 0x20});
  if (value.size() < kHeader || (value.size() - kHeader) % kEntry != 0) return false;
  if (number_at(value, 0, 4) != 2) return false;
  for (std::size_t at = kHeader; at < value.size(); at += kEntry) {
    if (std::ranges::find(kTags, number_at(value, at, 2)) == kTags.end()) return false;
    if (number_at(value, at + 2, 2) > 7) return false;
  }
  return true;
}

/// capabilities(7); include/uapi/linux/capability.h: revisions 2 and 3, by their sizes.
bool is_capability(std::string_view value) {
  if (value.size() != 20 && value.size() != 24) return false;
  return number_at(value, 0, 4) >> 24 == (value.size() == 20 ? 2U : 3U);
}

bool is_good_value(std::string_view name, std::string_view value) {
  if (name.starts_with("system.posix_acl_")) return is_acl(value);
  return name != "security.capability" || is_capability(value);
}

std::size_t entry_size(const Prefix& prefix, std::string_view name, std::string_view value) {
  const std::size_t size = kXattrEntry + name.size() - prefix.text.size() + value.size();
  return (size + 3) / 4 * 4;
}

}  // namespace

Result<void> check_xattrs(const Xattrs& xattrs) {
  std::size_t total = kXattrHeader;
  for (const auto& [name, value] : xattrs) {
    const auto prefix = prefix_of(name);
    if (!prefix || name.size() > kMaxName || !is_good_value(name, value)) {
      return fail(ErrorKind::kInvalid,
                  "extended attribute {} has a name or a value that it cannot "
                  "have",
                  quote_name(name));
    }
    // Each by itself: the sum is not to overflow either.
    if (value.size() < kMaxXattrs) total += entry_size(*prefix, name, value);
    if (value.size() >= kMaxXattrs || total > kMaxXattrs) {
      return fail(ErrorKind::kExhausted, "its extended attributes exceed {} bytes", kMaxXattrs);
    }
  }
  return {};
}

std::size_t xattrs_size(const Xattrs& xattrs) {
  if (xattrs.empty()) return 0;
  std::size_t size = kXattrHeader;
  for (const auto& [name, value] : xattrs) size += entry_size(*prefix_of(name), name, value);
  return size;
}

std::vector<std::byte> xattrs_bytes(const Xattrs& xattrs) {
  std::vector<std::byte> bytes(xattrs_size(xattrs));
  std::byte* at = bytes.data() + kXattrHeader;
  for (const auto& [name, value] : xattrs) {
    const Prefix prefix = *prefix_of(name);
    const auto rest = std::string_view(name).substr(prefix.text.size());
    Put(at)
        .number(static_cast<std::uint8_t>(rest.size()))
        .number(prefix.number)
        .number(static_cast<std::uint16_t>(value.size()));
    auto end = std::ranges::copy(bytes_of(rest), at + kXattrEntry).out;
    std::ranges::copy(bytes_of(value), end);
    at += entry_size(prefix, name, value);
  }
  return bytes;
}

}  // namespace berth::image::erofs
