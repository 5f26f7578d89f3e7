// Database: the one SQLite file of a store, opened so that a commit costs one fsync and the memory
// of an idle engine stays small (write-ahead log, 256 KiB of pages, no memory map). Thread-safe:
// one statement runner at a time. The library's exceptions end here. Sources: sqlite.org/wal.html,
// sqlite.org/pragma.html.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"

namespace SQLite {
class Database;
}

namespace berth::image {

class Database {
 public:
  using Work = std::function<Result<void>(SQLite::Database&)>;

  /// Opens or creates the file and brings it to the current schema (docs/formats/image-store.md).
  /// kUnsupported if a newer version made it, kCorrupt if it is damaged. The caller holds the lock
  /// of its directory: the file is opened for this process alone.
  static Result<std::unique_ptr<Database>> open(const std::string& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs `work`, which only reads.
  Result<void> read(const Work& work) const;
  /// Runs `work` in a transaction: all of it is on disk when this returns, or, if it fails, none.
  /// `work` must not call this object again. kConflict if a uniqueness rule was broken.
  Result<void> transaction(const Work& work);
  /// The same for work that only removes rows. It succeeds on a full disk as well: a little space
  /// is kept back for it, for otherwise a full disk could not be freed through what it is full of.
  Result<void> removal(const Work& work);

 private:
  Database(std::string path, std::unique_ptr<SQLite::Database> handle);
  void keep_reserve();
  std::string reserve() const { return path_ + "-reserve"; }

  std::string path_;
  mutable std::mutex mutex_;
  std::unique_ptr<SQLite::Database> handle_;  // guarded by mutex_
};

}  // namespace berth::image
