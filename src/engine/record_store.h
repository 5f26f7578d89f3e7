// RecordStore: the workloads of an engine in one SQLite database: the truth that survives. Each
// call is one transaction and is on disk when it returns. Thread-safe: calls are serialised.
// Formats: docs/formats/engine-layout.md.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/workload.h"

namespace berth::engine {

class RecordStore {
 public:
  /// Opens or creates the database file `path`. kCorrupt: the file is no database of this kind.
  static Result<std::unique_ptr<RecordStore>> open(const std::string& path);
  virtual ~RecordStore() = default;

  /// kConflict if the id or the name is taken.
  virtual Result<void> insert(const WorkloadView& view) = 0;
  /// Replaces the record of view.id, its name included. kNotFound if there is none; kConflict if
  /// the name is taken.
  virtual Result<void> update(const WorkloadView& view) = 0;
  /// Idempotent. Succeeds on a full disk.
  virtual Result<void> erase(const WorkloadId& id) = 0;
  /// A record that cannot be read becomes a workload that has ended, with the reason as its error.
  virtual Result<std::vector<WorkloadView>> load_all() = 0;
  /// Whether load_all() could not read the record. It is kept as it is: update() says kCorrupt.
  virtual bool is_damaged(const WorkloadId& id) const = 0;

  /// The engine's own id, made at the first opening.
  virtual std::string engine_id() const = 0;
};

}  // namespace berth::engine
