// Report: where init says what failed once its seccomp filter is loaded, which may refuse every
// call a message takes. A page of memory that both sides have; whoever starts the container over
// its start socket gets the file behind it.
#pragma once

#include "base/result.h"
#include "base/unique_fd.h"
#include "container/isolate/child.h"

namespace berth::container {

class Report {
 public:
  Report() = default;
  ~Report();
  Report(const Report&) = delete;
  Report& operator=(const Report&) = delete;

  /// Before the clone.
  Result<void> open();
  bool is_open() const { return page_ != nullptr; }
  int fd() const { return file_.get(); }

  /// Init's side: no system call.
  void write(const Failure& failure) { *page_ = failure; }
  /// The parent's side. Step::kNone: nothing was written.
  Failure read() const { return page_ ? *page_ : Failure(); }
  /// The same by descriptor, which anybody may have made: what is no report is none.
  static Failure read_from(int fd);

 private:
  UniqueFd file_;
  Failure* page_ = nullptr;
};

}  // namespace berth::container
