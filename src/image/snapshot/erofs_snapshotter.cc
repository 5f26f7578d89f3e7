#include "image/snapshot/erofs_snapshotter.h"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/scope_exit.h"
#include "base/strong_id.h"
#include "image/erofs/layer_file.h"
#include "image/erofs/writer.h"
#include "image/snapshot/layered_snapshotter.h"
#include "image/snapshot/stored_snapshotter.h"
#include "image/snapshot/tree_usage.h"
#include "sys/dir.h"
#include "sys/erofs_mount.h"
#include "sys/file.h"
#include "sys/overlay_mount.h"

namespace berth::image {
namespace {

constexpr const char* kWorkName = "work";
constexpr const char* kUnpackedName = "unpacked";

Result<UniqueFd> make_file(int dirfd, const std::string& name) {
  return sys::open_at(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
}

Result<SnapshotUsage> measure_file(int fd) {
  struct stat st{};
  if (::fstat(fd, &st) != 0) return fail_errno("stat a layer's file");
  constexpr std::uint64_t kStatBlock = 512;  // the unit of st_blocks, stat(2)
  return SnapshotUsage{.bytes = static_cast<std::uint64_t>(st.st_blocks) * kStatBlock,
                       .inodes = TRY(erofs::count_inodes(fd))};
}

/// Nothing if the snapshot has no such file.
Result<UniqueFd> open_unpacked(int dirfd) {
  auto file = sys::open_at(dirfd, kUnpackedName, O_RDONLY | O_NOFOLLOW);
  if (!file.ok() && file.error().os_errno() == ENOENT) return UniqueFd();
  return file;
}

Result<SnapshotUsage> measure(int dirfd) {
  if (const UniqueFd file = TRY(open_unpacked(dirfd)); file.valid()) {
    return measure_file(file.get());
  }
  return measure_tree(TRY(sys::open_dir_at(dirfd, kTreeName)).get());
}

/// A layer that was unpacked has its file already; a tree that was written to gets one.
Result<SnapshotUsage> pack(int dirfd, const std::string& name) {
  UniqueFd file = TRY(open_unpacked(dirfd));
  if (file.valid()) {
    if (::linkat(dirfd, kUnpackedName, dirfd, name.c_str(), 0) != 0) {
      return fail_errno("name a layer's file");
    }
  } else {
    const UniqueFd tree = TRY(sys::open_dir_at(dirfd, kTreeName));
    file = TRY(make_file(dirfd, name));
    TRY(erofs::write_directory(tree.get(), file.get()));
  }
  TRY(sys::sync(file.get()));
  return measure_file(file.get());
}

/// What the active snapshot was made of.
Result<void> seal(int dirfd) {
  for (const auto& entry : TRY(sys::list_dir(dirfd))) {
    if (entry.name != kPackedName) TRY(sys::remove_tree(dirfd, entry.name));
  }
  return {};
}

class ErofsSnapshotter final : public StoredSnapshotter, public LayerUnpacker {
 public:
  static Result<std::unique_ptr<Snapshotter>> open(const std::string& root, Database& database) {
    auto self = std::make_unique<ErofsSnapshotter>();
    SnapshotStore::Actions actions{
        .build = [raw = self.get()](
                     int dirfd,
                     const SnapshotStore::Chain& parents) { return raw->build(dirfd, parents); },
        .measure = measure,
        .pack = pack,
        .seal = seal};
    self->root_ = root;
    self->store_ = TRY(SnapshotStore::open(root, database, std::move(actions)));
    return self;
  }

  std::string_view name() const override { return "erofs"; }
  LayerUnpacker* unpacker() override { return this; }

  Result<AppliedLayer> unpack(std::string_view key, ByteSource& tar) override {
    const auto located = TRY(store_->locate(key));
    const UniqueFd dir = TRY(sys::open_dir(store_->path(located.chain.front(), "")));
    std::vector<std::string> below;
    for (const std::int64_t id : located.chain) below.push_back(store_->path(id, kPackedName));
    below.erase(below.begin());
    const UniqueFd base = below.empty() ? UniqueFd() : TRY(open_sealed(below));
    const std::string name = std::string(kPackingPrefix) + random_hex(16);
    const UniqueFd file = TRY(make_file(dir.get(), name));
    const auto applied = TRY(erofs::write_archive(tar, base.get(), file.get()));
    ::malloc_trim(0);  // a layer's names were many small pieces
    if (::renameat(dir.get(), name.c_str(), dir.get(), kUnpackedName) != 0) {
      return fail_errno("name a layer's file");
    }
    return applied;
  }

 private:
  /// The root directory that is seen is the uppermost layer's.
  Result<void> build(int dirfd, const SnapshotStore::Chain& parents) const {
    const UniqueFd tree = TRY(sys::make_dir_at(dirfd, kTreeName, 0755));
    TRY(sys::make_dir_at(dirfd, kWorkName, 0700));
    if (parents.empty()) return {};
    const UniqueFd parent =
        TRY(open_sealed({fmt::format("{}/{}/{}", root_, parents.front(), kPackedName)}));
    return copy_root(parent.get(), tree.get());
  }

  /// The root of what committed snapshots show on top of each other, to read from.
  static Result<UniqueFd> open_sealed(const std::vector<std::string>& files) {
    const UniqueFd mount = TRY(sys::mount_erofs_detached(mount_of_sealed(files)));
    return sys::open_dir_at(mount.get(), ".");
  }

  /// Whiteouts of a layer that nothing is below hide nothing: it needs no overlay.
  static sys::MountSpec mount_of_sealed(const std::vector<std::string>& files) {
    if (files.size() == 1) return {sys::kErofsType, files.front(), {"ro"}};
    std::vector<std::string> options = overlay_options();
    options.push_back(fmt::format("lowerdir={}", fmt::join(files, ":")));
    options.emplace_back("ro");
    return {sys::kErofsOverlayType, "overlay", std::move(options)};
  }

  Result<Mounts> mounts_of(const SnapshotStore::Chain& chain, SnapshotKind kind) const override {
    const std::string unpacked = store_->path(chain.front(), kUnpackedName);
    const std::string tree = store_->path(chain.front(), kTreeName);
    std::vector<std::string> files;
    for (const std::int64_t id : chain) files.push_back(store_->path(id, kPackedName));
    if (kind == SnapshotKind::kCommitted) return Mounts{mount_of_sealed(files)};
    if (::access(unpacked.c_str(), F_OK) == 0) {
      files.front() = unpacked;
      return Mounts{mount_of_sealed(files)};
    }
    files.erase(files.begin());
    if (files.empty()) return Mounts{{"bind", tree, {"rbind", "rw"}}};
    std::vector<std::string> options = overlay_options();
    options.push_back(fmt::format("lowerdir={}", fmt::join(files, ":")));
    options.push_back("upperdir=" + tree);
    options.push_back("workdir=" + store_->path(chain.front(), kWorkName));
    return Mounts{{sys::kErofsOverlayType, "overlay", std::move(options)}};
  }

  std::string root_;
};

Result<void> try_mount(int dirfd, const std::string& path) {
  const UniqueFd tree = TRY(sys::make_dir_at(dirfd, kTreeName, 0700));
  const UniqueFd file = TRY(make_file(dirfd, kPackedName));
  TRY(erofs::write_directory(tree.get(), file.get()));
  TRY(sys::mount_erofs_detached({sys::kErofsType, path + "/" + kPackedName, {}}));
  return {};
}

Result<void> probe(const std::string& root) {
  TRY(sys::probe_overlay(root));
  const UniqueFd parent = TRY(sys::open_dir(root));
  const std::string name = "new-probe-" + random_hex(8);
  const ScopeExit undo([&] { (void)sys::remove_tree(parent.get(), name); });
  const UniqueFd dir = TRY(sys::make_dir_at(parent.get(), name, 0700));
  auto tried = try_mount(dir.get(), root + "/" + name);
  if (tried.ok()) return {};
  return std::move(tried)
      .error()
      .with_kind(ErrorKind::kUnsupported)
      .context(fmt::format("layers in {} cannot be erofs files (use the overlay2 storage driver)",
                           root));
}

}  // namespace

Result<std::unique_ptr<Snapshotter>> open_erofs_snapshotter(const std::string& root,
                                                            Database& database) {
  TRY(check_layers_path(root, "erofs"));
  TRY(sys::make_dirs(root, 0700));
  TRY(probe(root));
  return ErofsSnapshotter::open(root, database);
}

}  // namespace berth::image
