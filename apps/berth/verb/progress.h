// Progress: what the engine tells of a pull or a push while it goes on, shown as lines; on a
// terminal each layer keeps one line, which changes.
#pragma once

#include <cstdio>
#include <map>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "berth/client/client.h"

namespace berth::cli {

class Progress {
 public:
  /// `out` null: nothing is shown. `columns`: of the terminal that `out` is; 0: it is none.
  Progress(std::FILE* out, int columns) : out_(out), columns_(columns) {}

  void show(const OrderedJson& message);

 private:
  void show_moving(const std::string& id, const std::string& text);

  std::FILE* out_;
  int columns_;
  std::map<std::string, int> lines_;  // by id, counted from the first that moves
};

/// "[=====>     ]  1.5MB/3MB"
std::string progress_bar(std::int64_t current, std::int64_t total, int columns);

/// POSTs to `target` in the name of the user whom docker's configuration knows at the registry of
/// `reference`, and shows what the engine tells on `shown` (null: nowhere) until it is done.
/// Errors: the engine's.
Result<void> follow_progress(const Client& client, const Target& target, std::string_view reference,
                             std::FILE* shown);

}  // namespace berth::cli
