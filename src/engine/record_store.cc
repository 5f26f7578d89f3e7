#include "engine/record_store.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <mutex>
#include <set>
#include <utility>

#include "base/log.h"
#include "engine/record.h"
#include "sys/file.h"

namespace berth::engine {
namespace {

// Raised with every change that an older engine could not read.
constexpr int kSchemaVersion = 1;
// Held in a file beside the database, and given up for a removal on a full disk: a record's pages,
// twice.
constexpr off_t kReserveBytes = 256 << 10;

// WAL with FULL: one fsync per transaction, and what was answered is on disk. Exclusive: the log's
// index is in memory, so that opening takes no space on a disk that may be full. A small cache:
// records are read once.
constexpr const char* kSettings =
    "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
    "PRAGMA cache_size = -256;";
constexpr const char* kSchema = R"(
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
      : reserve_(path + ".reserve"),
        database_(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX) {
    database_.setBusyTimeout(5000);
    database_.exec(kSettings);
    const int version = database_.execAndGet("PRAGMA user_version").getInt();
    if (version > kSchemaVersion)
      throw SQLite::Exception("written by a newer engine (schema " + std::to_string(version) + ")",
                              SQLITE_NOTADB);
    if (version == 0) make_schema();
    engine_id_ = database_.execAndGet("SELECT value FROM meta WHERE key = 'engine_id'").getString();
    hold_reserve();
  }

  Result<void> insert(const WorkloadView& view) override {
    return guarded("add " + view.name, [&] {
      SQLite::Statement statement(database_,
                                  "INSERT INTO workloads (record, name, id) VALUES (?, ?, ?)");
      run(statement, view);
    });
  }

  Result<void> update(const WorkloadView& view) override {
    if (is_damaged(view.id)) return damage(view.id);
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
    const auto attempt = [&] {
      return guarded("remove " + id.str(), [&] {
        SQLite::Statement statement(database_, "DELETE FROM workloads WHERE id = ?");
        statement.bind(1, id.str());
        statement.exec();
      });
    };
    auto done = attempt();
    if (done.ok() || done.error().kind() != ErrorKind::kExhausted) return done;
    ::unlink(reserve_.c_str());
    reserved_ = false;
    return attempt();
  }

  Result<std::vector<WorkloadView>> load_all() override {
    std::vector<WorkloadView> views;
    TRY(guarded("read", [&] {
      SQLite::Statement statement(database_, "SELECT id, name, record FROM workloads");
      while (statement.executeStep()) {
        views.push_back(view_of(statement.getColumn(0).getString(),
                                statement.getColumn(1).getString(),
                                statement.getColumn(2).getString()));
      }
    }));
    return views;
  }

  bool is_damaged(const WorkloadId& id) const override { return damaged_.contains(id); }

  std::string engine_id() const override { return engine_id_; }

 private:
  void make_schema() {
    SQLite::Transaction transaction(database_);
    database_.exec(kSchema);
    database_.exec("PRAGMA user_version = " + std::to_string(kSchemaVersion));
    SQLite::Statement make(database_, "INSERT OR IGNORE INTO meta VALUES ('engine_id', ?)");
    make.bind(1, random_hex(32));
    make.exec();
    transaction.commit();
  }

  // Without the space there is none until a later change finds some; nothing else depends on it.
  void hold_reserve() const {
    const auto file = sys::open_file(reserve_, O_WRONLY | O_CREAT, 0600);
    reserved_ = file.ok() && ::posix_fallocate(file->get(), 0, kReserveBytes) == 0;
    if (!reserved_) ::unlink(reserve_.c_str());
  }

  static Error damage(const WorkloadId& id) {
    return fail(ErrorKind::kCorrupt,
                "the record of container {} is damaged: nothing but its removal is possible",
                id.str());
  }

  WorkloadView view_of(const std::string& id, const std::string& name, const std::string& record) {
    auto view = record_from_json(record);
    if (view.ok()) return std::move(*view);
    log::error("workload {} ({}): its record is damaged: {}", id, name, view.error().message());
    WorkloadView damaged;
    damaged.id = WorkloadId(id);
    damaged.name = name;
    damaged.status.state = WorkloadState::kExited;
    damaged.status.exit_code = 255;
    damaged.status.error = damage(damaged.id).message();
    damaged_.insert(damaged.id);
    return damaged;
  }

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
      if (!reserved_) hold_reserve();
      return {};
    } catch (const SQLite::Exception& e) {
      return from_sqlite(e, doing);
    }
  }

  mutable std::mutex mutex_;  // one connection, one statement at a time
  const std::string reserve_;
  mutable bool reserved_ = false;  // GUARDED_BY(mutex_)
  std::set<WorkloadId> damaged_;   // does not change after load_all()
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
