#include "image/store/database.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include "sys/file.h"

namespace berth::image {
namespace {

constexpr int kSchemaVersion = 2;

/// A removal writes a handful of 4 KiB pages to the log.
constexpr off_t kReserveBytes = 256 << 10;

// What each version adds to the one before. Ids of snapshots are never used again: a directory that
// could not be removed must not become someone else's.
constexpr const char* kSchema[kSchemaVersion] = {R"sql(
CREATE TABLE snapshots(
  id     INTEGER PRIMARY KEY AUTOINCREMENT,
  key    TEXT NOT NULL UNIQUE,
  parent INTEGER REFERENCES snapshots(id),
  kind   INTEGER NOT NULL,
  bytes  INTEGER NOT NULL DEFAULT 0,
  inodes INTEGER NOT NULL DEFAULT 0);
CREATE INDEX snapshots_by_parent ON snapshots(parent);
CREATE TABLE layers(
  chain_id TEXT PRIMARY KEY,
  size     INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE images(
  id       TEXT PRIMARY KEY,
  manifest TEXT NOT NULL,
  top      TEXT NOT NULL,
  size     INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE names(
  name  TEXT PRIMARY KEY,
  image TEXT NOT NULL REFERENCES images(id)) WITHOUT ROWID;
CREATE INDEX names_by_image ON names(image);
)sql",
                                                 R"sql(
ALTER TABLE layers ADD COLUMN blob TEXT NOT NULL DEFAULT '';
CREATE TABLE blobs(
  image    TEXT NOT NULL REFERENCES images(id),
  position INTEGER NOT NULL,
  digest   TEXT NOT NULL,
  PRIMARY KEY(image, position)) WITHOUT ROWID;
)sql"};

ErrorKind kind_of(int code) {
  switch (code & 0xff) {  // the primary result code
    case SQLITE_CONSTRAINT:
      return ErrorKind::kConflict;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return ErrorKind::kExhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorKind::kCorrupt;
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return ErrorKind::kPermission;
    default:
      return ErrorKind::kInternal;
  }
}

Error error_of(const SQLite::Exception& thrown) {
  const int code = thrown.getErrorCode();
  const char* what = (code & 0xff) == SQLITE_FULL ? "no space left on device" : thrown.what();
  return fail(kind_of(code), "image database: {}", what);
}

template <typename Work>
auto catching(Work work) -> decltype(work()) {
  try {
    return work();
  } catch (const SQLite::Exception& thrown) {
    return error_of(thrown);
  }
}

Result<void> prepare_schema(SQLite::Database& db) {
  const int version = db.execAndGet("PRAGMA user_version").getInt();
  if (version == kSchemaVersion) return {};
  if (version < 0 || version > kSchemaVersion) {
    return fail(ErrorKind::kUnsupported,
                "the image database has version {}, this program knows up to {}: use a newer one",
                version, kSchemaVersion);
  }
  SQLite::Transaction transaction(db);
  for (int i = version; i < kSchemaVersion; ++i) db.exec(kSchema[i]);
  db.exec(fmt::format("PRAGMA user_version={}", kSchemaVersion));
  transaction.commit();
  return {};
}

}  // namespace

Database::Database(std::string path, std::unique_ptr<SQLite::Database> handle)
    : path_(std::move(path)), handle_(std::move(handle)) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(const std::string& path) {
  return catching([&]() -> Result<std::unique_ptr<Database>> {
           auto handle = std::make_unique<SQLite::Database>(
               path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
           // Exclusive locking keeps the log's index in memory instead of a mapped file.
           handle->exec(
               "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
               "PRAGMA cache_size=-256; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY; PRAGMA "
               "foreign_keys=ON;");
           TRY(prepare_schema(*handle));
           std::unique_ptr<Database> database(new Database(path, std::move(handle)));
           database->keep_reserve();
           return database;
         })
      .context(path);
}

Result<void> Database::read(const Work& work) const {
  const std::lock_guard lock(mutex_);
  return catching([&] { return work(*handle_); });
}

Result<void> Database::transaction(const Work& work) {
  const std::lock_guard lock(mutex_);
  return catching([&]() -> Result<void> {
    SQLite::Transaction transaction(*handle_, SQLite::TransactionBehavior::IMMEDIATE);
    TRY(work(*handle_));  // the destructor rolls back
    transaction.commit();
    return {};
  });
}

Result<void> Database::removal(const Work& work) {
  auto done = transaction(work);
  if (done.ok() || done.error().kind() != ErrorKind::kExhausted) return done;
  ::unlink(reserve().c_str());
  done = transaction(work);
  keep_reserve();
  return done;
}

/// Without the space there is no reserve until the next removal; nothing else depends on it.
void Database::keep_reserve() {
  const auto fd = sys::open_file(reserve(), O_WRONLY | O_CREAT, 0600);
  if (fd.ok() && ::posix_fallocate(fd->get(), 0, kReserveBytes) != 0) ::unlink(reserve().c_str());
}

}  // namespace berth::image
