#include "container/runtime/report.h"

#include <sys/mman.h>
#include <unistd.h>

namespace berth::container {

Report::~Report() {
  if (page_) ::munmap(page_, sizeof(Failure));
}

Result<void> Report::open() {
  file_.reset(::memfd_create("report", MFD_CLOEXEC));
  if (!file_.valid() || ::ftruncate(file_.get(), sizeof(Failure)) != 0)
    return fail_errno("cannot make a file for init's report");
  void* mapped =
      ::mmap(nullptr, sizeof(Failure), PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
  if (mapped == MAP_FAILED) return fail_errno("cannot map init's report");
  page_ = static_cast<Failure*>(mapped);
  return {};
}

Failure Report::read_from(int fd) {
  Failure failure;
  if (::pread(fd, &failure, sizeof failure, 0) != sizeof failure) return {};
  return failure;
}

}  // namespace berth::container
