#include "image/snapshot/native_snapshotter.h"

#include <unistd.h>

#include "image/snapshot/snapshot_store.h"
#include "image/snapshot/tree_copy.h"
#include "sys/dir.h"

namespace berth::image {
namespace {

class NativeSnapshotter final : public Snapshotter {
 public:
  static Result<std::unique_ptr<Snapshotter>> open(const std::string& root, Database& database) {
    auto self = std::make_unique<NativeSnapshotter>();
    SnapshotStore::Actions actions{.build = [root](int dirfd, const SnapshotStore::Chain& parents) {
      return build(root, dirfd, parents);
    }};
    self->store_ = TRY(SnapshotStore::open(root, database, std::move(actions)));
    return self;
  }

  std::string_view name() const override { return "vfs"; }

  Result<std::vector<sys::MountSpec>> prepare(std::string_view key,
                                              std::string_view parent) override {
    return mounts_of(TRY(store_->prepare(key, parent)), SnapshotKind::kActive);
  }
  Result<std::vector<sys::MountSpec>> mounts(std::string_view key) const override {
    const auto located = TRY(store_->locate(key));
    return mounts_of(located.chain, located.kind);
  }
  Result<void> commit(std::string_view name, std::string_view key) override {
    return store_->commit(name, key);
  }
  Result<void> remove(std::string_view key) override { return store_->remove(key); }
  Result<SnapshotInfo> stat(std::string_view key) const override { return store_->stat(key); }
  Result<std::vector<SnapshotInfo>> list() const override { return store_->list(); }
  Result<SnapshotUsage> usage(std::string_view key) const override { return store_->usage(key); }

 private:
  static Result<void> build(const std::string& root, int dirfd,
                            const SnapshotStore::Chain& parents) {
    const UniqueFd tree = TRY(sys::make_dir_at(dirfd, kTreeName, 0755));
    if (parents.empty()) return {};
    const UniqueFd parent =
        TRY(sys::open_dir(fmt::format("{}/{}/{}", root, parents.front(), kTreeName)));
    TRY(copy_tree(parent.get(), tree.get()));
    if (::syncfs(tree.get()) != 0) return fail_errno("flush a copy");
    return {};
  }

  std::vector<sys::MountSpec> mounts_of(const SnapshotStore::Chain& chain,
                                        SnapshotKind kind) const {
    const char* access = kind == SnapshotKind::kActive ? "rw" : "ro";
    return {{"bind", store_->path(chain.front(), kTreeName), {"rbind", access}}};
  }

  std::unique_ptr<SnapshotStore> store_;
};

}  // namespace

Result<std::unique_ptr<Snapshotter>> open_native_snapshotter(const std::string& root,
                                                             Database& database) {
  return NativeSnapshotter::open(root, database);
}

}  // namespace berth::image
