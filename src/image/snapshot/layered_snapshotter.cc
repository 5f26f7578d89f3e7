#include "image/snapshot/layered_snapshotter.h"

#include <sys/stat.h>
#include <unistd.h>

#include "image/archive/node_attributes.h"
#include "image/snapshot/stored_snapshotter.h"
#include "sys/dir.h"

namespace berth::image {
namespace {

constexpr const char* kWorkName = "work";

class LayeredSnapshotter final : public StoredSnapshotter {
 public:
  static Result<std::unique_ptr<Snapshotter>> open(const std::string& root, Database& database,
                                                   LayeredForm form) {
    auto self = std::make_unique<LayeredSnapshotter>();
    self->form_ = std::move(form);
    SnapshotStore::Actions actions{.build = [root](int dirfd, const SnapshotStore::Chain& parents) {
      return build(root, dirfd, parents);
    }};
    self->store_ = TRY(SnapshotStore::open(root, database, std::move(actions)));
    return self;
  }

  std::string_view name() const override { return form_.name; }

 private:
  static Result<void> build(const std::string& root, int dirfd,
                            const SnapshotStore::Chain& parents) {
    const UniqueFd tree = TRY(sys::make_dir_at(dirfd, kTreeName, 0755));
    TRY(sys::make_dir_at(dirfd, kWorkName, 0700));
    if (parents.empty()) return {};
    // The root directory that is seen is the uppermost layer's.
    const UniqueFd parent =
        TRY(sys::open_dir(fmt::format("{}/{}/{}", root, parents.front(), kTreeName)));
    return copy_root(parent.get(), tree.get());
  }

  /// With one layer there is nothing to overlay: a bind mount is cheaper, and whiteouts hide
  /// nothing.
  Result<Mounts> mounts_of(const SnapshotStore::Chain& chain, SnapshotKind kind) const override {
    const bool writable = kind == SnapshotKind::kActive;
    if (chain.size() == 1) {
      return Mounts{
          {"bind", store_->path(chain.front(), kTreeName), {"rbind", writable ? "rw" : "ro"}}};
    }
    std::string lowers;
    for (std::size_t i = writable ? 1 : 0; i < chain.size(); ++i) {
      if (!lowers.empty()) lowers += ':';
      lowers += store_->path(chain[i], kTreeName);
    }
    std::vector<std::string> options = form_.options;
    options.push_back("lowerdir=" + lowers);
    if (writable) {
      options.push_back("upperdir=" + store_->path(chain.front(), kTreeName));
      options.push_back("workdir=" + store_->path(chain.front(), kWorkName));
    } else {
      options.emplace_back("ro");
    }
    return Mounts{{form_.type, form_.source, std::move(options)}};
  }

  LayeredForm form_;
};

}  // namespace

Result<std::unique_ptr<Snapshotter>> open_layered_snapshotter(const std::string& root,
                                                              Database& database,
                                                              LayeredForm form) {
  return LayeredSnapshotter::open(root, database, std::move(form));
}

Result<void> copy_root(int from, int to) {
  TRY(copy_attributes(from, to).context("the root of the layer below"));
  struct stat st{};
  if (::fstat(from, &st) != 0) return fail_errno("stat the root of the layer below");
  const timespec times[2] = {st.st_atim, st.st_mtim};
  if (::futimens(to, times) != 0) return fail_errno("set time");
  return {};
}

std::vector<std::string> overlay_options() {
  return {"index=off", "redirect_dir=off", "metacopy=off"};
}

Result<void> check_layers_path(std::string_view root, std::string_view driver) {
  if (root.find_first_of(",:\\") == std::string_view::npos) return {};
  return fail(ErrorKind::kInvalid, "{}: {} needs a path without comma, colon and backslash", root,
              driver);
}

}  // namespace berth::image
