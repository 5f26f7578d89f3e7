#include "image/snapshot/snapshot_store.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <optional>
#include <set>

#include "base/log.h"
#include "base/scope_exit.h"
#include "base/strong_id.h"
#include "image/snapshot/snapshot_names.h"
#include "image/snapshot/tree_usage.h"
#include "sys/dir.h"
#include "sys/file.h"

namespace berth::image {
namespace {

constexpr const char* kSelect =
    "SELECT s.id, s.key, p.key, s.kind, s.bytes, s.inodes FROM snapshots s "
    "LEFT JOIN snapshots p ON p.id = s.parent ";

Error not_found(std::string_view key) {
  return fail(ErrorKind::kNotFound, "there is no snapshot {}", key);
}
Error exists(std::string_view key) {
  return fail(ErrorKind::kConflict, "snapshot {} exists already", key);
}

SnapshotStore::Chain chain_of(SQLite::Database& db, std::int64_t id) {
  SQLite::Statement query(db,
                          "WITH RECURSIVE chain(id, parent, depth) AS ("
                          " SELECT id, parent, 0 FROM snapshots WHERE id = ?"
                          " UNION ALL SELECT s.id, s.parent, depth + 1 FROM snapshots s JOIN chain "
                          "c ON s.id = c.parent)"
                          " SELECT id FROM chain ORDER BY depth");
  query.bind(1, id);
  SnapshotStore::Chain chain;
  while (query.executeStep()) chain.push_back(query.getColumn(0).getInt64());
  return chain;
}

/// The number of the committed snapshot `parent`.
Result<std::int64_t> committed_id(SQLite::Database& db, std::string_view parent) {
  SQLite::Statement query(db, "SELECT id, kind FROM snapshots WHERE key = ?");
  query.bind(1, std::string(parent));
  if (!query.executeStep()) return not_found(parent);
  if (query.getColumn(1).getInt() != static_cast<int>(SnapshotKind::kCommitted)) {
    return fail(ErrorKind::kInvalid, "snapshot {} is not committed: nothing can be based on it",
                parent);
  }
  return query.getColumn(0).getInt64();
}

}  // namespace

SnapshotStore::SnapshotStore(std::string root, UniqueFd dir, Database& database, Actions actions)
    : root_(std::move(root)),
      dir_(std::move(dir)),
      database_(database),
      actions_(std::move(actions)) {}

Result<std::unique_ptr<SnapshotStore>> SnapshotStore::open(const std::string& root,
                                                           Database& database, Actions actions) {
  TRY(sys::make_dirs(root, 0700));
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(root.c_str(), nullptr),
                                                         &std::free);
  if (!real) return fail_errno("resolve {}", root);
  std::unique_ptr<SnapshotStore> store(
      new SnapshotStore(real.get(), TRY(sys::open_dir(real.get())), database, std::move(actions)));
  TRY(store->recover().context(root));
  return store;
}

std::string SnapshotStore::path(std::int64_t id, std::string_view part) const {
  return fmt::format("{}/{}/{}", root_, id, part);
}

Result<void> SnapshotStore::recover() {
  std::set<std::int64_t> present;
  for (const auto& entry : TRY(sys::list_dir(dir_.get()))) present.insert(id_of(entry.name));
  Chain missing;
  Chain committed;
  TRY(database_.read([&](SQLite::Database& db) -> Result<void> {
    SQLite::Statement query(db, "SELECT id, kind FROM snapshots");
    while (query.executeStep()) {
      const std::int64_t id = query.getColumn(0).getInt64();
      const bool is_here = present.erase(id) != 0;
      const bool is_active = query.getColumn(1).getInt() == static_cast<int>(SnapshotKind::kActive);
      if (!is_here && is_active) missing.push_back(id);
      if (is_here && !is_active) committed.push_back(id);
    }
    return {};
  }));
  for (const auto& entry : TRY(sys::list_dir(dir_.get()))) {
    const std::int64_t id = id_of(entry.name);
    if (id != 0 && !present.contains(id)) continue;
    if (entry.name.starts_with(kGonePrefix)) continue;  // clear_aside()
    // What cannot be removed (someone still has it mounted) does no harm: its number never comes
    // back.
    if (const auto removed = remove_directory(entry.name); !removed.ok()) {
      log::warning("snapshot store {}: {}", root_, removed.error().message());
    }
  }
  for (const std::int64_t id : committed) {
    if (const auto sealed = seal(id); !sealed.ok()) {
      log::warning("snapshot store {}: {}", root_, sealed.error().message());
    }
  }
  for (const std::int64_t id : missing) TRY(rebuild(id));
  return {};
}

/// Power failed before a new directory reached the disk, though its row did: nothing was in it that
/// was.
Result<void> SnapshotStore::rebuild(std::int64_t id) {
  Chain parents;
  TRY(database_.read([&](SQLite::Database& db) -> Result<void> {
    parents = chain_of(db, id);
    return {};
  }));
  parents.erase(parents.begin());
  const UniqueFd dir = TRY(sys::make_dir_at(dir_.get(), std::to_string(id), 0700));
  return actions_.build(dir.get(), parents);
}

Result<void> SnapshotStore::seal(std::int64_t id) const {
  if (!actions_.seal) return {};
  const UniqueFd dir = TRY(sys::open_dir_at(dir_.get(), std::to_string(id)));
  return actions_.seal(dir.get());
}

Result<void> SnapshotStore::remove_directory(const std::string& name,
                                             const std::stop_token& stop) const {
  // Whatever is no directory, or is gone, remove_tree() knows better.
  if (const auto dir = sys::open_dir_at(dir_.get(), name); actions_.clear && dir.ok()) {
    TRY(actions_.clear(dir->get()).context(fmt::format("remove {}", name)));
  }
  return sys::remove_tree(dir_.get(), name, stop);
}

Result<SnapshotStore::Row> SnapshotStore::row(std::string_view key) const {
  Row row;
  TRY(database_.read([&](SQLite::Database& db) -> Result<void> {
    SQLite::Statement query(db, std::string(kSelect) + "WHERE s.key = ?");
    query.bind(1, std::string(key));
    if (!query.executeStep()) return not_found(key);
    row.id = query.getColumn(0).getInt64();
    row.info = {query.getColumn(1).getString(), query.getColumn(2).getString(),
                static_cast<SnapshotKind>(query.getColumn(3).getInt())};
    row.usage = {static_cast<std::uint64_t>(query.getColumn(4).getInt64()),
                 static_cast<std::uint64_t>(query.getColumn(5).getInt64())};
    return {};
  }));
  return row;
}

Result<SnapshotStore::Chain> SnapshotStore::parents_for(std::string_view parent) const {
  Chain chain;
  if (parent.empty()) return chain;
  TRY(database_.read([&](SQLite::Database& db) -> Result<void> {
    chain = chain_of(db, TRY(committed_id(db, parent)));
    return {};
  }));
  return chain;
}

Result<SnapshotStore::Chain> SnapshotStore::prepare(std::string_view key, std::string_view parent) {
  TRY(check_key(key));
  if (row(key).ok()) return exists(key);
  const Chain parents = TRY(parents_for(parent));
  const std::string built = std::string(kNewPrefix) + random_hex(16);
  const AtWork at_work(*this, built);
  ScopeExit undo([&] { (void)remove_directory(built); });
  {
    const UniqueFd dir = TRY(sys::make_dir_at(dir_.get(), built, 0700));
    if (auto made = actions_.build(dir.get(), parents); !made.ok()) {
      // The parent was removed meanwhile: whatever stood in the way, that is why.
      if (!parent.empty() && !row(parent).ok()) return not_found(parent);
      return std::move(made).error();
    }
  }
  Chain chain = TRY(insert(key, parent, built));
  undo.cancel();
  return chain;
}

Result<SnapshotStore::Chain> SnapshotStore::insert(std::string_view key, std::string_view parent,
                                                   const std::string& built) {
  Chain chain;
  auto inserted = database_.transaction([&](SQLite::Database& db) -> Result<void> {
    SQLite::Statement add(db, "INSERT INTO snapshots(key, parent, kind) VALUES(?, ?, ?)");
    add.bind(1, std::string(key));
    if (!parent.empty()) add.bind(2, TRY(committed_id(db, parent)));  // it may be gone by now
    add.bind(3, static_cast<int>(SnapshotKind::kActive));
    add.exec();
    const std::int64_t id = db.getLastInsertRowid();
    if (::renameat(dir_.get(), built.c_str(), dir_.get(), std::to_string(id).c_str()) != 0) {
      return fail_errno("rename a new snapshot");
    }
    chain = chain_of(db, id);
    return actions_.sync_names ? sys::sync(dir_.get()) : Result<void>();
  });
  if (inserted.ok()) return chain;
  // It failed after the rename: take the directory back, so that prepare() finds and
  // removes it.
  if (!chain.empty()) {
    (void)::renameat(dir_.get(), std::to_string(chain.front()).c_str(), dir_.get(), built.c_str());
  }
  if (inserted.error().kind() == ErrorKind::kConflict) return exists(key);
  return std::move(inserted).error();
}

Result<void> SnapshotStore::commit(std::string_view name, std::string_view key) {
  TRY(check_key(name));
  const Row found = TRY(row(key));
  if (found.info.kind != SnapshotKind::kActive) {
    return fail(ErrorKind::kInvalid, "snapshot {} is committed already", key);
  }
  if (row(name).ok()) return exists(name);
  const UniqueFd dir = TRY(sys::open_dir_at(dir_.get(), std::to_string(found.id)));
  const std::string packed = std::string(kPackingPrefix) + random_hex(16);
  const ScopeExit unpack([&] {
    if (actions_.pack) ::unlinkat(dir.get(), packed.c_str(), 0);
  });
  auto usage = put_on_disk(dir.get(), found.id, packed);
  if (!usage.ok()) {
    // Removed or committed meanwhile: whatever the error, that is why.
    return row(key).ok() ? std::move(usage).error() : not_found(key);
  }
  auto updated = database_.transaction([&](SQLite::Database& db) -> Result<void> {
    SQLite::Statement update(db,
                             "UPDATE snapshots SET key = ?, kind = ?, bytes = ?, inodes = ?"
                             " WHERE id = ? AND kind = ?");
    update.bind(1, std::string(name));
    update.bind(2, static_cast<int>(SnapshotKind::kCommitted));
    update.bind(3, static_cast<std::int64_t>(usage->bytes));
    update.bind(4, static_cast<std::int64_t>(usage->inodes));
    update.bind(5, found.id);
    update.bind(6, static_cast<int>(SnapshotKind::kActive));
    if (update.exec() == 0) return not_found(key);  // removed or committed meanwhile
    if (!actions_.pack) return {};
    if (::renameat(dir.get(), packed.c_str(), dir.get(), kPackedName) != 0) {
      return fail_errno("rename a packed snapshot");
    }
    return sys::sync(dir.get());
  });
  if (!updated.ok() && updated.error().kind() == ErrorKind::kConflict) return exists(name);
  TRY(std::move(updated));
  // The row decides; what could not be sealed now is when the store is opened next.
  if (const auto sealed = seal(found.id); !sealed.ok()) {
    log::warning("snapshot {}: {}", name, sealed.error().message());
  }
  return {};
}

Result<SnapshotUsage> SnapshotStore::put_on_disk(int dirfd, std::int64_t id,
                                                 const std::string& packed) const {
  if (actions_.pack) {
    const SnapshotUsage usage = TRY(actions_.pack(dirfd, packed));
    TRY(sys::sync(dir_.get()));  // its directory's own name
    return usage;
  }
  // One flush of the file system instead of one per file, and the tree is counted meanwhile.
  auto flushed = std::async(std::launch::async, [&]() -> Result<void> {
    if (::syncfs(dirfd) != 0) return fail_errno("flush a snapshot");
    return {};
  });
  // What a file system counts itself, it counts when it has it.
  if (actions_.measure) flushed.wait();
  auto usage = measure(id);
  TRY(flushed.get());
  return usage;
}

Result<std::int64_t> SnapshotStore::erase_row(std::string_view key,
                                              std::optional<AtWork>& at_work) {
  std::int64_t id = 0;
  TRY(database_.removal([&](SQLite::Database& db) -> Result<void> {
    SQLite::Statement find(db, "SELECT id FROM snapshots WHERE key = ?");
    find.bind(1, std::string(key));
    if (!find.executeStep()) return not_found(key);
    id = find.getColumn(0).getInt64();
    SQLite::Statement child(db, "SELECT key FROM snapshots WHERE parent = ? LIMIT 1");
    child.bind(1, id);
    if (child.executeStep()) {
      return fail(ErrorKind::kConflict, "snapshot {} is the base of {}", key,
                  child.getColumn(0).getString());
    }
    SQLite::Statement erase(db, "DELETE FROM snapshots WHERE id = ?");
    erase.bind(1, id);
    erase.exec();
    at_work.emplace(*this, std::to_string(id));  // before anybody can see that the row is gone
    return {};
  }));
  return id;
}

Result<void> SnapshotStore::remove(std::string_view key) {
  std::optional<AtWork> at_work;
  const std::int64_t id = TRY(erase_row(key, at_work));
  // The row decides; a directory that resists now is removed when the store is opened next.
  if (const auto removed = remove_directory(std::to_string(id)); !removed.ok()) {
    log::warning("snapshot {}: {}", key, removed.error().message());
  }
  return {};
}

Result<void> SnapshotStore::set_aside(std::string_view key) {
  std::optional<AtWork> at_work;
  const std::string name = std::to_string(TRY(erase_row(key, at_work)));
  const std::string aside = std::string(kGonePrefix) + name;
  if (::renameat(dir_.get(), name.c_str(), dir_.get(), aside.c_str()) != 0 && errno != ENOENT) {
    log::warning("snapshot {}: {}", key, fail_errno("put it aside").message());
  }
  return {};
}

void SnapshotStore::clear_aside(const std::stop_token& stop) {
  const auto entries = sys::list_dir(dir_.get());
  if (!entries.ok()) return log::warning("{}: {}", root_, entries.error().message());
  for (const auto& entry : *entries) {
    if (!entry.name.starts_with(kGonePrefix)) continue;
    const auto removed = remove_directory(entry.name, stop);
    if (stop.stop_requested()) return;
    if (!removed.ok()) log::warning("snapshot store {}: {}", root_, removed.error().message());
  }
}

Result<SnapshotInfo> SnapshotStore::stat(std::string_view key) const {
  return TRY(row(key)).info;
}

Result<std::vector<SnapshotInfo>> SnapshotStore::list() const {
  std::vector<SnapshotInfo> all;
  TRY(database_.read([&](SQLite::Database& db) -> Result<void> {
    SQLite::Statement query(db, std::string(kSelect) + "ORDER BY s.id");
    while (query.executeStep()) {
      all.push_back({query.getColumn(1).getString(), query.getColumn(2).getString(),
                     static_cast<SnapshotKind>(query.getColumn(3).getInt())});
    }
    return {};
  }));
  return all;
}

Result<SnapshotUsage> SnapshotStore::usage(std::string_view key) const {
  const Row found = TRY(row(key));
  if (found.info.kind == SnapshotKind::kCommitted) return found.usage;
  return measure(found.id);
}

Result<SnapshotUsage> SnapshotStore::measure(std::int64_t id) const {
  const UniqueFd dir = TRY(sys::open_dir_at(dir_.get(), std::to_string(id)));
  if (actions_.measure) return actions_.measure(dir.get());
  const UniqueFd tree =
      TRY(sys::open_beneath(dir.get(), std::string(kTreeName), O_RDONLY | O_DIRECTORY));
  return measure_tree(tree.get());
}

Result<SnapshotStore::Located> SnapshotStore::locate(std::string_view key) const {
  const Row found = TRY(row(key));
  Located located{{}, found.info.kind};
  TRY(database_.read([&](SQLite::Database& db) -> Result<void> {
    located.chain = chain_of(db, found.id);
    return {};
  }));
  if (located.chain.empty()) return not_found(key);
  return located;
}

}  // namespace berth::image
