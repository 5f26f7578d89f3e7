// SnapshotStore: what every snapshotter that keeps trees in directories has in common: rows that
// say which snapshots exist, and one directory per row, named by its number. A row without its
// directory, or a directory without its row, is what a crash leaves; open() puts both right. What
// was put aside has lost its row, and its number as a name. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
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
/// What a committed one is, with a driver that packs.
inline constexpr const char* kPackedName = "layer";
/// What the names of files start with that may become that; of no use after a crash.
inline constexpr std::string_view kPackingPrefix = "new-";

class SnapshotStore {
 public:
  /// Numbers of a snapshot's layers, itself first, the base last.
  using Chain = std::vector<std::int64_t>;
  /// What a driver does with the directory `dirfd` of a snapshot. Thread-safe; only `build` is a
  /// must.
  struct Actions {
    /// Fills the empty directory of a new snapshot based on `parents` (its parent first; empty: on
    /// nothing).
    std::function<Result<void>(int dirfd, const Chain& parents)> build;
    /// What the snapshot itself holds. Unless given: what is in kTreeName. Of a snapshot that is
    /// being committed, it is asked once all is on disk.
    std::function<Result<SnapshotUsage>(int dirfd)> measure = {};
    /// For a driver that keeps committed snapshots in another form than active ones. Writes what
    /// the snapshot holds into the new file `name` of its directory, on disk when it returns, and
    /// says what it takes. The file becomes kPackedName if the snapshot is committed; two can be
    /// written at once, of which one will.
    std::function<Result<SnapshotUsage>(int dirfd, const std::string& name)> pack = {};
    /// The snapshot is committed: nobody is to change it any more. Does nothing the second time:
    /// open() repeats it for every committed snapshot, as a crash may have come before it.
    std::function<Result<void>(int dirfd)> seal = {};
    /// What is written to a snapshot can be durable without the name of its directory being so,
    /// which then is made durable before the row.
    bool sync_names = false;
    /// The directory is to be removed: takes away what rm -rf would not, or not fast.
    std::function<Result<void>(int dirfd)> clear = {};
    /// What `build` puts there and a snapshot cannot be without. With `pack`, a committed one has
    /// kPackedName in its place.
    const char* part = kTreeName;
  };

  /// Opens or makes the store in the directory `root`. Borrows `database`. `actions` are kept.
  static Result<std::unique_ptr<SnapshotStore>> open(const std::string& root, Database& database,
                                                     Actions actions);

  // As in snapshotter.h.
  Result<Chain> prepare(std::string_view key, std::string_view parent);
  Result<void> commit(std::string_view name, std::string_view key);
  Result<void> remove(std::string_view key);
  Result<void> set_aside(std::string_view key);
  void clear_aside(const std::stop_token& stop);
  Result<SnapshotInfo> stat(std::string_view key) const;
  Result<std::vector<SnapshotInfo>> list() const;
  Result<SnapshotUsage> usage(std::string_view key) const;
  Result<std::vector<SnapshotFault>> check() const;  // snapshot_store_check.cc
  Result<void> remove_stray(const std::string& directory);

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

  /// Says, while it lives, that a directory that has no row is somebody's.
  class AtWork {
   public:
    AtWork(const SnapshotStore& store, std::string name);
    ~AtWork();
    AtWork(const AtWork&) = delete;
    AtWork& operator=(const AtWork&) = delete;

   private:
    const SnapshotStore& store_;
    const std::string name_;
  };
  std::multiset<std::string> at_work() const;

  SnapshotStore(std::string root, UniqueFd dir, Database& database, Actions actions);
  Result<void> recover();
  Result<void> rebuild(std::int64_t id);
  Result<void> seal(std::int64_t id) const;
  Result<void> remove_directory(const std::string& name, const std::stop_token& stop = {}) const;
  /// Its number; `at_work` says from then on that its directory is the caller's.
  Result<std::int64_t> erase_row(std::string_view key, std::optional<AtWork>& at_work);
  Result<Row> row(std::string_view key) const;
  Result<Chain> parents_for(std::string_view parent) const;
  Result<Chain> insert(std::string_view key, std::string_view parent, const std::string& built);
  Result<SnapshotUsage> measure(std::int64_t id) const;
  Result<SnapshotUsage> put_on_disk(int dirfd, std::int64_t id, const std::string& packed) const;

  std::string root_;
  UniqueFd dir_;
  Database& database_;
  Actions actions_;

  mutable std::mutex names_mutex_;
  mutable std::multiset<std::string> at_work_;  // guarded by names_mutex_
};

}  // namespace berth::image
