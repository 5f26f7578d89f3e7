// Rows that nobody could have written: a file that was damaged, or changed by hand, holds them. A
// fresh look at the database each time; thread-safe as it is. The table `snapshots` is looked at by
// its store (image/snapshot/snapshot_store.h).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "image/store/database.h"

namespace berth::image {

struct BadRow {
  std::string table;
  std::string key;
  std::string problem;  // "stands for an image that is not there"
};

/// What SQLite itself finds wrong with the file, in its words. `quick`: without comparing each
/// index with its table.
Result<std::vector<std::string>> check_database(const Database& database, bool quick);

Result<std::vector<BadRow>> find_bad_rows(const Database& database);

/// Removes a row that find_bad_rows() named. Of an image's list of blobs all go, and its manifest:
/// it can be used then, and not pushed.
Result<void> remove_bad_row(Database& database, const BadRow& row);

}  // namespace berth::image
