// Snapshotter: the family that keeps filesystem trees as a chain of changes (graph drivers, in
// Docker's words).
//
// A snapshot is *active* (writable, still being made) or *committed* (read-only, may be a parent).
// A layer is unpacked into an active snapshot whose parent is the layer below, then committed under
// the layer's chain id (image-spec, config.md, "Layer ChainID"); a container's writable layer is an
// active snapshot that is never committed. A snapshotter returns *mounts*; it never mounts. What
// the mounts show, once mounted in order on one directory, is the snapshot's whole tree. Removing a
// snapshot that has children is a conflict.
//
// Keys are chosen by the caller: [A-Za-z0-9._:-]{1,255}. All calls are thread-safe, durable when
// they return (a crash leaves a snapshot either as before the call or as after it) and may be
// repeated after a crash.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_source.h"
#include "base/result.h"
#include "image/archive/apply.h"
#include "sys/mount_spec.h"

namespace berth::image {

enum class SnapshotKind { kActive, kCommitted };

struct SnapshotInfo {
  std::string key;
  std::string parent;  // empty: based on nothing
  SnapshotKind kind = SnapshotKind::kActive;
};

/// What a snapshot itself holds: its parents are not counted, but a copy of them that a driver
/// makes is.
struct SnapshotUsage {
  std::uint64_t bytes = 0;  // as allocated on disk
  std::uint64_t inodes = 0;
};

/// Something that is not as it should be among the trees and what is known of them.
struct SnapshotFault {
  enum class Kind : std::uint8_t { kNoTree, kNoParent, kBadRow, kStray, kHalfMade };
  Kind kind = Kind::kStray;
  std::string name;  // a snapshot's key; kStray, kHalfMade: of a directory
  std::string detail;
};

/// A driver that unpacks layers in its own way, while they arrive.
class LayerUnpacker {
 public:
  virtual ~LayerUnpacker() = default;
  /// Reads `tar` (no compression) to its very end into the active snapshot `key`, made a moment ago
  /// and mounted nowhere; archive/apply.h says what becomes of an entry. Afterwards nobody writes
  /// to the snapshot; whoever calls commits it, or, after an error too, removes it.
  virtual Result<AppliedLayer> unpack(std::string_view key, ByteSource& tar) = 0;
};

class Snapshotter {
 public:
  virtual ~Snapshotter() = default;

  /// The driver's name as `info` shows it: "overlay2", "vfs" (all: drivers.cc).
  virtual std::string_view name() const = 0;

  /// Makes the active snapshot `key` on top of the committed `parent` (empty: nothing). kConflict
  /// if `key` exists, kNotFound if `parent` does not, kInvalid if `parent` is active.
  virtual Result<std::vector<sys::MountSpec>> prepare(std::string_view key,
                                                      std::string_view parent) = 0;
  /// The mounts of an existing snapshot: writable if active, read-only if committed. kNotFound if
  /// there is none.
  virtual Result<std::vector<sys::MountSpec>> mounts(std::string_view key) const = 0;
  /// Turns the active `key` into the committed `name`; the tree's data is on disk when it returns.
  /// kConflict if `name` exists: the caller may then remove(key), for equal chain ids have equal
  /// trees.
  virtual Result<void> commit(std::string_view name, std::string_view key) = 0;
  /// Removes a snapshot and its data. kNotFound if there is none; kConflict if others are based on
  /// it.
  virtual Result<void> remove(std::string_view key) = 0;
  /// The same at once, however much the snapshot holds: its data is only put aside, and goes with
  /// the next clear_aside().
  virtual Result<void> set_aside(std::string_view key) { return remove(key); }
  /// Removes what was put aside, by an earlier process too, as far as it gets until `stop` is
  /// requested. What resists stays, with a word in the log.
  virtual void clear_aside(const std::stop_token& stop) { (void)stop; }

  virtual Result<SnapshotInfo> stat(std::string_view key) const = 0;
  /// All of them, parents before their children.
  virtual Result<std::vector<SnapshotInfo>> list() const = 0;
  virtual Result<SnapshotUsage> usage(std::string_view key) const = 0;

  /// What is damaged, as of one moment: what others are making or removing just then is not. What
  /// trees hold is not looked at. A driver whose trees are elsewhere knows of none.
  virtual Result<std::vector<SnapshotFault>> check() const { return std::vector<SnapshotFault>(); }
  /// Removes a directory that check() called kStray or kHalfMade.
  virtual Result<void> remove_stray(const std::string& directory) {
    return fail(ErrorKind::kUnsupported, "{}: {} cannot be removed", name(), directory);
  }

  /// Null: layers are unpacked into the directory that a snapshot's one mount is made of.
  virtual LayerUnpacker* unpacker() { return nullptr; }
};

}  // namespace berth::image
