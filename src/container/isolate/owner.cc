#include "container/isolate/owner.h"

#include <sys/mman.h>

namespace berth::container {

Result<sys::CloneResult> clone_owned(const NamespacePlan& plan, const sys::CloneRequest& request) {
  void* page =
      ::mmap(nullptr, sizeof(Birth), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return fail_errno("cannot map a page");
  auto* birth = new (page) Birth;
  auto between = sys::clone_process({});
  if (!between.ok()) return std::move(between).error();
  if (between->pid == 0) {
    give_birth(plan, request, birth);
    return sys::CloneResult{};  // in init
  }
  const auto ended = sys::wait_process(between->pidfd.get());
  const Birth result = *birth;
  ::munmap(page, sizeof(Birth));
  TRY(ended);
  if (result.error != 0)
    return Error::from_errno(result.error,
                             "cannot make namespaces that belong to the user namespace to join");
  if (result.pid == 0) return fail(ErrorKind::kInternal, "init was not made");
  // It is a child of this process, so that its pid is its own until it is reaped.
  return sys::CloneResult{result.pid, TRY(sys::open_pidfd(result.pid))};
}

}  // namespace berth::container
