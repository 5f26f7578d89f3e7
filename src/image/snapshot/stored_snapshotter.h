// StoredSnapshotter: what the drivers have in common that keep their trees in a SnapshotStore: a
// driver opens the store with its actions and says its name, and how a snapshot is mounted unless
// its directory holds the whole tree. Errors as in snapshotter.h.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "image/snapshot/snapshot_store.h"
#include "image/snapshot/snapshotter.h"

namespace berth::image {

class StoredSnapshotter : public Snapshotter {
 public:
  using Mounts = std::vector<sys::MountSpec>;

  Result<Mounts> prepare(std::string_view key, std::string_view parent) override {
    auto mounts = mounts_of(TRY(store_->prepare(key, parent)), SnapshotKind::kActive);
    if (!mounts.ok()) TRY(store_->remove(key));
    return mounts;
  }
  Result<Mounts> mounts(std::string_view key) const override {
    const auto located = TRY(store_->locate(key));
    return mounts_of(located.chain, located.kind);
  }
  Result<void> commit(std::string_view name, std::string_view key) override {
    return store_->commit(name, key);
  }
  Result<void> remove(std::string_view key) override { return store_->remove(key); }
  Result<void> set_aside(std::string_view key) override { return store_->set_aside(key); }
  void clear_aside(const std::stop_token& stop) override { store_->clear_aside(stop); }
  Result<SnapshotInfo> stat(std::string_view key) const override { return store_->stat(key); }
  Result<std::vector<SnapshotInfo>> list() const override { return store_->list(); }
  Result<SnapshotUsage> usage(std::string_view key) const override { return store_->usage(key); }
  Result<std::vector<SnapshotFault>> check() const override { return store_->check(); }
  Result<void> remove_stray(const std::string& directory) override {
    return store_->remove_stray(directory);
  }

 protected:
  /// Unless overridden: the snapshot's own tree, which is whole.
  virtual Result<Mounts> mounts_of(const SnapshotStore::Chain& chain, SnapshotKind kind) const {
    const char* access = kind == SnapshotKind::kActive ? "rw" : "ro";
    return Mounts{{"bind", store_->path(chain.front(), kTreeName), {"rbind", access}}};
  }

  std::unique_ptr<SnapshotStore> store_;  // set when the driver opens
};

}  // namespace berth::image
