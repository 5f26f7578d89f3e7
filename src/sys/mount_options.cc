#include "sys/mount_options.h"

#include <sys/mount.h>

#include <algorithm>
#include <array>
#include <string_view>

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

namespace berth::sys {
namespace {

struct AttributeRow {
  std::string_view name;  // with an "r" in front: the recursive one
  std::uint64_t set;
  std::uint64_t clear;
};

// The three times of access are one field of two bits, not flags: mount_setattr(2).
constexpr auto kAttributes = std::to_array<AttributeRow>({
    {"ro", MOUNT_ATTR_RDONLY, 0},
    {"rw", 0, MOUNT_ATTR_RDONLY},
    {"nosuid", MOUNT_ATTR_NOSUID, 0},
    {"suid", 0, MOUNT_ATTR_NOSUID},
    {"nodev", MOUNT_ATTR_NODEV, 0},
    {"dev", 0, MOUNT_ATTR_NODEV},
    {"noexec", MOUNT_ATTR_NOEXEC, 0},
    {"exec", 0, MOUNT_ATTR_NOEXEC},
    {"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0},
    {"symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW},
    {"nodiratime", MOUNT_ATTR_NODIRATIME, 0},
    {"diratime", 0, MOUNT_ATTR_NODIRATIME},
    {"relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"norelatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
    {"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
    {"atime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
    {"nostrictatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
});

struct PropagationRow {
  std::string_view name;  // with an "r" in front: for the mounts below, too
  std::uint64_t flag;
};

constexpr auto kPropagations = std::to_array<PropagationRow>({
    {"private", MS_PRIVATE},
    {"shared", MS_SHARED},
    {"slave", MS_SLAVE},
    {"unbindable", MS_UNBINDABLE},
});

// fsconfig(2) takes these by name for every file system.
constexpr auto kSuperblockFlags =
    std::to_array<std::string_view>({"sync", "dirsync", "lazytime", "mand"});
// They name a default, undo a flag that nothing here sets, or speak to mount(8) only.
constexpr auto kIgnored =
    std::to_array<std::string_view>({"defaults", "async", "nolazytime", "nomand", "iversion",
                                     "noiversion", "silent", "loud", "nofail", "auto", "noauto"});
constexpr auto kUnsupported = std::to_array<std::string_view>(
    {"copy-symlink", "idmap", "ridmap", "src-nofollow", "dest-nofollow"});

template <typename Table>
bool contains(const Table& table, std::string_view word) {
  return std::ranges::find(table, word) != table.end();
}

bool apply_attribute(std::string_view word, std::uint64_t& set, std::uint64_t& clear) {
  for (const AttributeRow& row : kAttributes) {
    if (row.name != word) continue;
    set = (set & ~row.clear) | row.set;
    clear = (clear & ~row.set) | row.clear;
    return true;
  }
  return false;
}

bool apply_propagation(std::string_view word, MountOptions& options) {
  const bool recursive = word.starts_with('r');
  for (const PropagationRow& row : kPropagations) {
    if (row.name != word && !(recursive && row.name == word.substr(1))) continue;
    options.propagations.push_back({row.flag, row.name != word});
    return true;
  }
  return false;
}

// Words that say how to mount, not what.
bool apply_manner(std::string_view word, MountOptions& options) {
  if (word == "bind" || word == "rbind") {
    options.bind = true;
    options.recursive = word == "rbind";
  } else if (word == "idmap" || word == "ridmap") {
    options.id_mapped = word == "idmap" ? IdMapped::kMount : IdMapped::kRecursive;
  } else if (word == "remount") {
    options.remount = true;
  } else if (word == "tmpcopyup") {
    options.copy_up = true;
  } else {
    return false;
  }
  return true;
}

}  // namespace

bool MountOptions::read_only() const {
  return (attr_set & MOUNT_ATTR_RDONLY) != 0;
}

bool MountOptions::is_special() const {
  return remount || copy_up || id_mapped != IdMapped::kNo;
}

Result<MountOptions> parse_mount_options(std::span<const std::string> words) {
  MountOptions options;
  for (const std::string& text : words) {
    const std::string_view word = text;
    if (word.empty() || contains(kIgnored, word)) continue;
    if (apply_manner(word, options) ||
        apply_attribute(word, options.attr_set, options.attr_clear) ||
        apply_propagation(word, options)) {
      continue;
    } else if (word.starts_with('r') && apply_attribute(word.substr(1), options.recursive_attr_set,
                                                        options.recursive_attr_clear)) {
      continue;
    } else if (contains(kSuperblockFlags, word)) {
      options.superblock_flags.emplace_back(word);
    } else if (contains(kUnsupported, word.substr(0, word.find('=')))) {
      return fail(ErrorKind::kUnsupported, "mount option '{}' is not supported", word);
    } else {
      const auto equals = word.find('=');
      const bool has_value = equals != std::string_view::npos;
      options.parameters.push_back(
          {std::string(word.substr(0, equals)),
           has_value ? std::string(word.substr(equals + 1)) : std::string(), has_value});
    }
  }
  return options;
}

std::vector<std::string> known_mount_options() {
  std::vector<std::string> words = {"bind", "rbind", "idmap", "ridmap", "remount", "tmpcopyup"};
  const auto with_recursive = [&](std::string_view word) {
    words.emplace_back(word);
    words.push_back(fmt::format("r{}", word));
  };
  for (const AttributeRow& row : kAttributes) with_recursive(row.name);
  for (const PropagationRow& row : kPropagations) with_recursive(row.name);
  words.insert(words.end(), kSuperblockFlags.begin(), kSuperblockFlags.end());
  words.insert(words.end(), kIgnored.begin(), kIgnored.end());
  std::ranges::sort(words);
  return words;
}

unsigned long classic_flags(std::uint64_t attributes) {
  struct Row {
    std::uint64_t attribute;
    unsigned long flag;
  };
  static constexpr auto kRows = std::to_array<Row>({
      {MOUNT_ATTR_RDONLY, MS_RDONLY},
      {MOUNT_ATTR_NOSUID, MS_NOSUID},
      {MOUNT_ATTR_NODEV, MS_NODEV},
      {MOUNT_ATTR_NOEXEC, MS_NOEXEC},
      {MOUNT_ATTR_NODIRATIME, MS_NODIRATIME},
      {MOUNT_ATTR_NOATIME, MS_NOATIME},
      {MOUNT_ATTR_STRICTATIME, MS_STRICTATIME},
  });
  unsigned long flags = 0;
  for (const Row& row : kRows)
    if (attributes & row.attribute) flags |= row.flag;
  return flags;
}

std::string classic_data(std::span<const MountParameter> parameters) {
  std::string data;
  for (const MountParameter& parameter : parameters) {
    if (!data.empty()) data += ',';
    data += parameter.key;
    if (parameter.has_value) data += '=' + parameter.value;
  }
  return data;
}

}  // namespace berth::sys
