#include "image/snapshot/native_snapshotter.h"

#include <unistd.h>

#include "image/snapshot/stored_snapshotter.h"
#include "image/snapshot/tree_copy.h"
#include "sys/dir.h"

namespace berth::image {
namespace {

class NativeSnapshotter final : public StoredSnapshotter {
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
};

}  // namespace

Result<std::unique_ptr<Snapshotter>> open_native_snapshotter(const std::string& root,
                                                             Database& database) {
  return NativeSnapshotter::open(root, database);
}

}  // namespace berth::image
