#include "image/changes/changes.h"

#include <algorithm>

#include "image/changes/snapshot_trees.h"

namespace berth::image {
namespace {

class Listing final : public ChangeVisitor {
 public:
  explicit Listing(std::size_t max) : max_(max) {}

  Result<void> present(ChangeKind kind, const std::string& path, const TreeNode&) override {
    return path.empty() ? Result<void>() : add(kind, path);
  }
  Result<void> deleted(const std::string& path) override { return add(ChangeKind::kDeleted, path); }
  Result<void> opaque(const std::string&) override { return {}; }

  std::vector<Change> take() {
    std::ranges::sort(changes_, {}, &Change::path);
    return std::move(changes_);
  }

 private:
  Result<void> add(ChangeKind kind, const std::string& path) {
    if (changes_.size() == max_)
      return fail(ErrorKind::kExhausted, "there are more than {} changes", max_);
    changes_.push_back({"/" + path, kind});
    return {};
  }

  std::size_t max_;
  std::vector<Change> changes_;
};

}  // namespace

Result<std::vector<Change>> snapshot_changes(const Snapshotter& snapshots, std::string_view key,
                                             const IsMountPoint& is_mount_point,
                                             std::size_t max_changes) {
  const SnapshotTrees trees = TRY(open_trees(snapshots, key));
  Listing listing(max_changes);
  const TreeDiffOptions options{
      .overlay = trees.overlay, .tell_opaque = false, .is_mount_point = is_mount_point};
  TRY(diff_trees(trees.tree.get(), trees.base.get(), options, listing));
  return listing.take();
}

}  // namespace berth::image
