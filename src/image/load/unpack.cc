#include "image/load/unpack.h"

#include <algorithm>
#include <vector>

#include "base/log.h"
#include "base/scope_exit.h"
#include "base/strong_id.h"
#include "image/archive/apply.h"
#include "image/archive/decompress.h"
#include "image/archive/read_ahead.h"
#include "image/content/hasher.h"
#include "image/load/early_flush.h"
#include "image/snapshot/fuse_overlay_snapshotter.h"
#include "sys/dir.h"
#include "sys/premade_mount.h"

namespace berth::image {
namespace {

/// Where the files of a snapshot go, unless its driver knows better: straight into its directory of
/// changes, not through its mounts. That needs no mount, and a whiteout is made in the form that
/// the driver keeps.
class Target {
 public:
  static Result<Target> of(const std::vector<sys::MountSpec>& mounts, bool has_parent) {
    if (mounts.size() != 1)
      return fail(ErrorKind::kInternal, "a snapshot has {} mounts", mounts.size());
    Target target;
    const sys::MountSpec& mount = mounts.front();
    const bool is_overlay = mount.type == "overlay";
    if (!is_overlay && mount.type != kFuseOverlayType) {
      target.root_ = TRY(open_tree(mount));
      if (has_parent) target.whiteouts_ = deleting_whiteouts();
      return target;
    }
    target.root_ = TRY(sys::open_dir(option(mount, "upperdir=")));
    target.whiteouts_ = is_overlay ? overlay_whiteouts() : file_whiteouts();
    std::string lowers = option(mount, "lowerdir=");
    while (!lowers.empty()) {
      const auto end = std::min(lowers.find(':'), lowers.size());
      target.lowers_.push_back(TRY(sys::open_dir(lowers.substr(0, end))));
      target.lower_fds_.push_back(target.lowers_.back().get());
      lowers.erase(0, std::min(end + 1, lowers.size()));
    }
    return target;
  }

  ApplyTarget get() const { return {root_.get(), lower_fds_, whiteouts_.get()}; }

 private:
  static Result<UniqueFd> open_tree(const sys::MountSpec& mount) {
    if (!sys::is_premade(mount.type)) return sys::open_dir(mount.source);
    return sys::open_dir_at(TRY(sys::mount_premade(mount)).get(), ".");
  }

  static std::string option(const sys::MountSpec& mount, std::string_view prefix) {
    const auto found = std::ranges::find_if(
        mount.options, [&](const std::string& option) { return option.starts_with(prefix); });
    return found == mount.options.end() ? "" : found->substr(prefix.size());
  }

  UniqueFd root_;
  std::vector<UniqueFd> lowers_;
  std::vector<int> lower_fds_;
  std::unique_ptr<Whiteouts> whiteouts_;
};

Result<AppliedLayer> unpack_into(Snapshotter& snapshots, std::string_view key,
                                 const std::vector<sys::MountSpec>& mounts, bool has_parent,
                                 ByteSource& tar) {
  if (LayerUnpacker* own = snapshots.unpacker(); own != nullptr) return own->unpack(key, tar);
  const Target target = TRY(Target::of(mounts, has_parent));
  EarlyFlush flushed(tar, target.get().root);
  const AppliedLayer applied = TRY(apply_layer(target.get(), flushed));
  TRY(flushed.finish());
  return applied;
}

/// Passes a source's bytes on, and a copy of them to another.
class CopyingSource final : public ByteSource {
 public:
  CopyingSource(ByteSource& from, const TarCopy& copy) : from_(from), copy_(copy) {}
  Result<std::size_t> read(std::span<std::byte> into) override {
    const std::size_t count = TRY(from_.read(into));
    if (copy_ && count > 0) TRY(copy_(into.first(count)));
    return count;
  }

 private:
  ByteSource& from_;
  const TarCopy& copy_;
};

}  // namespace

Result<UnpackedLayer> unpack_layer(Snapshotter& snapshots, std::string_view parent,
                                   ByteSource& blob, const TarCopy& copy) {
  UnpackedLayer layer;
  layer.key = std::string(kUnpackPrefix) + random_hex(16);
  const auto mounts = TRY(snapshots.prepare(layer.key, parent));
  ScopeExit undo([&] {
    if (auto removed = snapshots.remove(layer.key); !removed.ok()) {
      log::warning("remove a half unpacked layer: {}", removed.error().message());
    }
  });
  const auto plain = TRY(decompress(blob));
  HashingSource hashed(*plain);
  {
    CopyingSource copied(hashed, copy);
    ReadAhead ahead(copied);
    layer.bytes = TRY(unpack_into(snapshots, layer.key, mounts, !parent.empty(), ahead)).bytes;
  }
  layer.diff_id = hashed.finish().str();
  undo.cancel();
  return layer;
}

}  // namespace berth::image
