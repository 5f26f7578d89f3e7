// SnapshotStore: what every snapshotter that keeps trees in directories has in common: rows that
// say which snapshots exist, and one directory per row, named by its number. A row without its
// directory, or a directory without its row, is what a crash leaves; open() puts both right.
// Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "image/snapshot/snapshotter.h"
#include "image/store/database.h"

namespace berth::image {

/// Where the tree of a snapshot is inside its directory.
inline constexpr const char* kTreeName = "fs";

class SnapshotStore {
 public:
  /// Numbers of a snapshot's layers, itself first, the base last.
  using Chain = std::vector<std::int64_t>;
  /// Fills the empty directory `dirfd` of a new snapshot based on `parents` (its parent first;
  /// empty: on nothing).
  using Build = std::function<Result<void>(int dirfd, const Chain& parents)>;

  /// Opens or makes the store in the directory `root`. Borrows `database`. `build` is kept.
  static Result<std::unique_ptr<SnapshotStore>> open(const std::string& root, Database& database,
                                                     Build build);

  // As in snapshotter.h.
  Result<Chain> prepare(std::string_view key, std::string_view parent);
  Result<void> commit(std::string_view name, std::string_view key);
  Result<void> remove(std::string_view key);
  Result<SnapshotInfo> stat(std::string_view key) const;
  Result<std::vector<SnapshotInfo>> list() const;
  Result<SnapshotUsage> usage(std::string_view key) const;

  struct Located {
    Chain chain;
    SnapshotKind kind;
  };
  Result<Located> locate(std::string_view key) const;

  /// The absolute path, without symbolic links, of `part` in a snapshot's directory.
  std::string path(std::int64_t id, std::string_view part) const;
  int fd() const { return dir_.get(); }

 private:
  struct Row {
    std::int64_t id = 0;
    SnapshotInfo info;
    SnapshotUsage usage;
  };

  SnapshotStore(std::string root, UniqueFd dir, Database& database, Build build);
  Result<void> recover();
  Result<Row> row(std::string_view key) const;
  Result<Chain> parents_for(std::string_view parent) const;
  Result<Chain> insert(std::string_view key, std::string_view parent, const std::string& built);
  Result<SnapshotUsage> measure(std::int64_t id) const;

  std::string root_;
  UniqueFd dir_;
  Database& database_;
  Build build_;
};

}  // namespace berth::image
