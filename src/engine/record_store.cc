#include "engine/record_store.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <sqlite3.h>

#include <mutex>
#include <utility>

#include "engine/record.h"

namespace berth::engine {
namespace {

// Raised with every change that an older engine could not read.
constexpr int kSchemaVersion = 1;

// WAL with FULL: one fsync per transaction, and what was answered is on disk. A small cache:
// records are read once.
constexpr const char* kSchema = R"(
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA cache_size = -256;
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS workloads (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, record TEXT NOT NULL) WITHOUT ROWID;
)";

Error from_sqlite(const SQLite::Exception& e, std::string_view doing) {
  ErrorKind kind = ErrorKind::kInternal;
  switch (e.getErrorCode()) {
    case SQLITE_CONSTRAINT:
      kind = ErrorKind::kConflict;
      break;
    case SQLITE_FULL:
      kind = ErrorKind::kExhausted;
      break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      kind = ErrorKind::kCorrupt;
      break;
    default:
      break;
  }
  const char* what = kind == ErrorKind::kExhausted ? "no space left on device" : e.what();
  return fail(kind, "engine database: {}: {}", doing, what);
}

class SqliteRecordStore final : public RecordStore {
 public:
  explicit SqliteRecordStore(const std::string& path)
      : database_(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX) {
    database_.setBusyTimeout(5000);
    database_.exec(kSchema);
    const int version = database_.execAndGet("PRAGMA user_version").getInt();
    if (version > kSchemaVersion)
      throw SQLite::Exception("written by a newer engine (schema " + std::to_string(version) + ")",
                              SQLITE_NOTADB);
    SQLite::Transaction transaction(database_);
    database_.exec("PRAGMA user_version = " + std::to_string(kSchemaVersion));
    SQLite::Statement make(database_, "INSERT OR IGNORE INTO meta VALUES ('engine_id', ?)");
    make.bind(1, random_hex(32));
    make.exec();
    engine_id_ = database_.execAndGet("SELECT value FROM meta WHERE key = 'engine_id'").getString();
    transaction.commit();
  }

  Result<void> insert(const WorkloadView& view) override {
    return guarded("add " + view.name, [&] {
      SQLite::Statement statement(database_,
                                  "INSERT INTO workloads (record, name, id) VALUES (?, ?, ?)");
      run(statement, view);
    });
  }

  Result<void> update(const WorkloadView& view) override {
    int changed = 0;
    TRY(guarded("change " + view.name, [&] {
      SQLite::Statement statement(database_,
                                  "UPDATE workloads SET record = ?, name = ? WHERE id = ?");
      changed = run(statement, view);
    }));
    if (changed == 0)
      return fail(ErrorKind::kNotFound, "engine database: no record of {}", view.id.str());
    return {};
  }

  Result<void> erase(const WorkloadId& id) override {
    return guarded("remove " + id.str(), [&] {
      SQLite::Statement statement(database_, "DELETE FROM workloads WHERE id = ?");
      statement.bind(1, id.str());
      statement.exec();
    });
  }

  Result<std::vector<WorkloadView>> load_all() const override {
    std::vector<std::string> texts;
    TRY(guarded("read", [&] {
      SQLite::Statement statement(database_, "SELECT record FROM workloads");
      while (statement.executeStep()) texts.push_back(statement.getColumn(0).getString());
    }));
    std::vector<WorkloadView> views;
    views.reserve(texts.size());
    for (const std::string& text : texts) views.push_back(TRY(record_from_json(text)));
    return views;
  }

  std::string engine_id() const override { return engine_id_; }

 private:
  static int run(SQLite::Statement& statement, const WorkloadView& view) {
    statement.bind(1, record_to_json(view));
    statement.bind(2, view.name);
    statement.bind(3, view.id.str());
    return statement.exec();
  }

  template <typename F>
  Result<void> guarded(std::string_view doing, F work) const {
    const std::scoped_lock lock(mutex_);
    try {
      work();
      return {};
    } catch (const SQLite::Exception& e) {
      return from_sqlite(e, doing);
    }
  }

  mutable std::mutex mutex_;  // one connection, one statement at a time
  SQLite::Database database_;
  std::string engine_id_;
};

}  // namespace

Result<std::unique_ptr<RecordStore>> RecordStore::open(const std::string& path) {
  try {
    return std::make_unique<SqliteRecordStore>(path);
  } catch (const SQLite::Exception& e) {
    return from_sqlite(e, "open " + path);
  }
}

}  // namespace berth::engine
