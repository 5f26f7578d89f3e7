// ExitRecord: how a run ended, on disk. Its place is taken before the workload runs, so that a disk
// that is full by the end does not cost the one thing that nobody else knows.
#pragma once

#include "base/result.h"
#include "base/unique_fd.h"
#include "holder/protocol.h"

namespace berth::holder {

class ExitRecord {
 public:
  /// The name under which the place is held until the end; an earlier run's is taken over.
  static constexpr std::string_view kReserveName = ".exit.json.reserve";
  /// What is held, in bytes: one block. An error text that would not fit is cut.
  static constexpr std::size_t kReserveBytes = 4096;

  /// Forgets the record of an earlier run in the directory `state_dir`, which is owned from here
  /// on, and holds the space for a new one. kExhausted: there is no space.
  static Result<ExitRecord> reserve(UniqueFd state_dir);

  /// Makes exit.json say `exited`; it is on disk when this returns. Once only. An error leaves no
  /// record.
  Result<void> commit(Exited exited);

 private:
  ExitRecord(UniqueFd state_dir, UniqueFd file)
      : state_dir_(std::move(state_dir)), file_(std::move(file)) {}

  UniqueFd state_dir_;
  UniqueFd file_;
};

}  // namespace berth::holder
