// MountOptions: the option words of fstab(5) and of the OCI runtime-spec, sorted by which kernel
// call takes them. Sources: mount(2), mount_setattr(2), mount(8); runtime-spec config.md "Linux
// mount options".
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace berth::sys {

/// One word the file system itself understands: "size=64m", or "newinstance", whose value is empty.
struct MountParameter {
  std::string key;
  std::string value;
  bool has_value = false;
  friend bool operator==(const MountParameter&, const MountParameter&) = default;
};

/// Whether the mount shows other owners than its file system has: "idmap", "ridmap".
enum class IdMapped : std::uint8_t { kNo, kMount, kRecursive };

struct Propagation {
  std::uint64_t kind = 0;  // MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE
  bool recursive = false;  // "rshared"
  friend bool operator==(const Propagation&, const Propagation&) = default;
};

struct MountOptions {
  bool bind = false;
  bool recursive = false;  // "rbind"
  bool remount = false;    // changes the mount that is there
  bool copy_up = false;    // "tmpcopyup": a tmpfs starts with what it covers
  IdMapped id_mapped = IdMapped::kNo;
  // MOUNT_ATTR_* for the mount itself ("ro"), and for everything below it too ("rro").
  std::uint64_t attr_set = 0;
  std::uint64_t attr_clear = 0;
  std::uint64_t recursive_attr_set = 0;
  std::uint64_t recursive_attr_clear = 0;
  /// One after the other, each a change of its own: a slave that is then made shared is both.
  /// Empty: as it is.
  std::vector<Propagation> propagations;
  /// Flags of the superblock by fsconfig's names ("sync", "lazytime").
  std::vector<std::string> superblock_flags;
  std::vector<MountParameter> parameters;

  bool read_only() const;
  /// Whether it is more than a new mount with the file system's own content and owners.
  bool is_special() const;
};

/// Later words win over earlier ones, as for mount(8), but for the propagations. kUnsupported: an
/// extension of another runtime.
Result<MountOptions> parse_mount_options(std::span<const std::string> words);

/// Every word that parse_mount_options() takes by itself, sorted; what it takes for a parameter of
/// a file system is not among them.
std::vector<std::string> known_mount_options();

/// MOUNT_ATTR_* bits as mount(2)'s MS_*: for kernels and sandboxes without the newer calls.
unsigned long classic_flags(std::uint64_t attributes);
/// The parameters as mount(2)'s comma-separated data.
std::string classic_data(std::span<const MountParameter> parameters);

}  // namespace berth::sys
