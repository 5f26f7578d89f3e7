#include "image/snapshot/btrfs_snapshotter.h"

#include "image/snapshot/btrfs_subvolume.h"
#include "image/snapshot/stored_snapshotter.h"
#include "sys/dir.h"

namespace berth::image {
namespace {

class BtrfsSnapshotter final : public StoredSnapshotter {
 public:
  static Result<std::unique_ptr<Snapshotter>> open(const std::string& root, Database& database) {
    TRY(sys::make_dirs(root, 0700));
    TRY(probe_btrfs(root));
    SnapshotStore::Actions actions{
        .build = [root](
                     int dirfd,
                     const SnapshotStore::Chain& parents) { return build(root, dirfd, parents); },
        .measure = [](int dirfd) -> Result<SnapshotUsage> {
          return measure_subvolume(TRY(sys::open_dir_at(dirfd, kTreeName)).get());
        },
        .seal = [](int dirfd) -> Result<void> {
          return make_subvolume_read_only(TRY(sys::open_dir_at(dirfd, kTreeName)).get());
        },
        .sync_names = true,  // each subvolume has a log of its own for fsync(2)
        .clear = [](int dirfd) { return remove_subvolume(dirfd, kTreeName); }};
    auto self = std::make_unique<BtrfsSnapshotter>();
    self->store_ = TRY(SnapshotStore::open(root, database, std::move(actions)));
    return self;
  }

  std::string_view name() const override { return "btrfs"; }

 private:
  static Result<void> build(const std::string& root, int dirfd,
                            const SnapshotStore::Chain& parents) {
    if (parents.empty()) return create_subvolume(dirfd, kTreeName);
    const UniqueFd parent =
        TRY(sys::open_dir(fmt::format("{}/{}/{}", root, parents.front(), kTreeName)));
    return snapshot_subvolume(parent.get(), dirfd, kTreeName);
  }
};

}  // namespace

Result<std::unique_ptr<Snapshotter>> open_btrfs_snapshotter(const std::string& root,
                                                            Database& database) {
  return BtrfsSnapshotter::open(root, database);
}

}  // namespace berth::image
