// Volumes: directories that outlive workloads, kept by name below one root ("local" driver). The
// file system is the truth: <root>/<name>/_data is the volume, an `anonymous` marker beside it says
// that nobody named it and that it goes with its workload; `kept` beside it, that nobody named it
// and that it stayed behind. Thread-safe; calls block.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace berth::engine {

class Volumes {
 public:
  explicit Volumes(std::string root) : root_(std::move(root)) {}

  /// Docker's rule for names: [a-zA-Z0-9][a-zA-Z0-9_.-]+.
  static bool valid_name(std::string_view name);

  /// The data directory of volume `name`, made (0755) if it does not exist. kInvalid for a bad
  /// name.
  Result<std::string> ensure(std::string_view name);
  /// A new volume with a 64-digit name; returns that name.
  Result<std::string> create_anonymous();
  std::string data_path(std::string_view name) const;
  /// The names of all volumes, in no order.
  Result<std::vector<std::string>> all() const;
  /// The names of all anonymous volumes.
  Result<std::vector<std::string>> anonymous() const;
  /// Whoever mounted it goes without it: from now on it stays as if it had been named. Idempotent.
  Result<void> keep(std::string_view name);
  /// Removes an anonymous volume and its data; leaves a named one alone. Idempotent.
  Result<void> remove_if_anonymous(std::string_view name);
  /// Removes what a crash left half made or half removed. While nobody makes or removes any.
  Result<void> sweep();

 private:
  std::string root_;
};

}  // namespace berth::engine
