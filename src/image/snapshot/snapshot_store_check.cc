// What is wrong with a snapshot store. Under the database's lock rows and trees belong together: a
// tree gets its number in the transaction that makes its row, and loses its row before it goes.
#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "image/snapshot/snapshot_names.h"
#include "image/snapshot/snapshot_store.h"
#include "sys/dir.h"

namespace berth::image {
namespace {

using Kind = SnapshotFault::Kind;

struct CheckedRow {
  std::int64_t id = 0;
  std::string key;
  std::int64_t parent = 0;  // 0: none
  std::int64_t kind = 0;
};

Result<std::vector<CheckedRow>> read_rows(SQLite::Database& db) {
  std::vector<CheckedRow> rows;
  SQLite::Statement query(db, "SELECT id, key, parent, kind FROM snapshots ORDER BY id");
  while (query.executeStep()) {
    rows.push_back({query.getColumn(0).getInt64(), query.getColumn(1).getString(),
                    query.getColumn(2).getInt64(), query.getColumn(3).getInt64()});
  }
  return rows;
}

constexpr auto kCommitted = static_cast<std::int64_t>(SnapshotKind::kCommitted);

void check_row(const CheckedRow& row, const std::vector<CheckedRow>& all,
               std::vector<SnapshotFault>& faults) {
  if (!check_key(row.key).ok()) {
    faults.push_back({Kind::kBadRow, row.key, "cannot be the name of a snapshot"});
  } else if (row.kind != kCommitted && row.kind != static_cast<int>(SnapshotKind::kActive)) {
    faults.push_back({Kind::kBadRow, row.key, fmt::format("is of no kind, but {}", row.kind)});
  }
  if (row.parent == 0) return;
  const auto parent = std::ranges::find(all, row.parent, &CheckedRow::id);
  if (parent == all.end()) {
    faults.push_back(
        {Kind::kNoParent, row.key, fmt::format("is based on {}, which is not there", row.parent)});
  } else if (parent->kind != kCommitted) {
    faults.push_back({Kind::kNoParent, row.key,
                      fmt::format("is based on {}, which is unfinished", parent->key)});
  }
}

Result<bool> exists(int dirfd, const std::string& path) {
  struct stat st{};
  if (::fstatat(dirfd, path.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return fail_errno("stat {}", path);
}

}  // namespace

SnapshotStore::AtWork::AtWork(const SnapshotStore& store, std::string name)
    : store_(store), name_(std::move(name)) {
  const std::lock_guard lock(store_.names_mutex_);
  store_.at_work_.insert(name_);
}

SnapshotStore::AtWork::~AtWork() {
  const std::lock_guard lock(store_.names_mutex_);
  store_.at_work_.erase(store_.at_work_.find(name_));
}

std::multiset<std::string> SnapshotStore::at_work() const {
  const std::lock_guard lock(names_mutex_);
  return at_work_;
}

Result<std::vector<SnapshotFault>> SnapshotStore::check() const {
  std::vector<SnapshotFault> faults;
  std::vector<std::string> strays;
  std::multiset<std::string> before;
  TRY(database_.read([&](SQLite::Database& db) -> Result<void> {
    before = at_work();
    const auto entries = TRY(sys::list_dir(dir_.get()));
    const auto rows = TRY(read_rows(db));
    std::set<std::string> names;
    for (const CheckedRow& row : rows) {
      check_row(row, rows, faults);
      const std::string name = std::to_string(row.id);
      names.insert(name);
      const bool is_packed = actions_.pack && row.kind == kCommitted;
      const char* const part = is_packed ? kPackedName : actions_.part;
      if (!TRY(exists(dir_.get(), fmt::format("{}/{}", name, part)))) {
        faults.push_back(
            {Kind::kNoTree, row.key, fmt::format("there is no {}", path(row.id, part))});
      }
    }
    for (const auto& entry : entries)
      if (!names.contains(entry.name) && !entry.name.starts_with(kGonePrefix))
        strays.push_back(entry.name);
    return {};
  }));
  // What began meanwhile says so by now, and what ended did before, or has taken its directory
  // away.
  const auto after = at_work();
  for (const std::string& name : strays) {
    if (before.contains(name) || after.contains(name) || !TRY(exists(dir_.get(), name))) continue;
    const bool half_made = name.starts_with(kNewPrefix);
    faults.push_back({half_made ? Kind::kHalfMade : Kind::kStray, name,
                      half_made ? "nobody is making it" : "no snapshot has it"});
  }
  return faults;
}

Result<void> SnapshotStore::remove_stray(const std::string& directory) {
  const auto faults = TRY(check());
  const bool is_stray = std::ranges::any_of(faults, [&](const SnapshotFault& fault) {
    return (fault.kind == Kind::kStray || fault.kind == Kind::kHalfMade) && fault.name == directory;
  });
  if (!is_stray) return fail(ErrorKind::kConflict, "{} is somebody's", directory);
  return remove_directory(directory);
}

}  // namespace berth::image
