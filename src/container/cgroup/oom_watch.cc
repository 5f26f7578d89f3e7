#include "container/cgroup/oom_watch.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <charconv>
#include <utility>

namespace berth::container {
namespace {

Result<UniqueFd> watch_v1(const CgroupDirectory& memory) {
  UniqueFd control(::openat(memory.fd(), "memory.oom_control", O_RDONLY | O_CLOEXEC));
  if (!control.valid()) return fail_errno("cannot open {}/memory.oom_control", memory.path());
  UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event.valid()) return fail_errno("cannot make an eventfd");
  TRY(memory.write("cgroup.event_control", fmt::format("{} {}", event.get(), control.get())));
  return event;
}

}  // namespace

Result<OomWatch> OomWatch::create(const CgroupManager& manager) {
  const CgroupDirectory* memory = manager.directory_of("memory");
  if (!memory) return fail(ErrorKind::kUnsupported, "the container has no memory cgroup to watch");
  if (manager.version() == CgroupVersion::kV1)
    return OomWatch(CgroupVersion::kV1, TRY(watch_v1(*memory)), memory->path());
  UniqueFd events(::openat(memory->fd(), "memory.events", O_RDONLY | O_CLOEXEC));
  if (!events.valid()) return fail_errno("cannot open {}/memory.events", memory->path());
  OomWatch watch(CgroupVersion::kV2, std::move(events), memory->path());
  watch.seen_ = watch.count();
  return watch;
}

// Reading is also what makes the descriptor quiet until the next change.
std::uint64_t OomWatch::count() const {
  constexpr std::string_view kKilled = "\noom_kill ";
  char buffer[512];
  const ssize_t size = ::pread(fd_.get(), buffer, sizeof buffer, 0);
  const std::string_view text(buffer, size > 0 ? static_cast<std::size_t>(size) : 0);
  const auto at = text.find(kKilled);
  std::uint64_t killed = seen_;  // a cgroup that is gone says nothing
  if (at != std::string_view::npos)
    (void)std::from_chars(text.data() + at + kKilled.size(), text.data() + text.size(), killed);
  return killed;
}

bool OomWatch::look() {
  if (version_ == CgroupVersion::kV2) {
    const std::uint64_t before = std::exchange(seen_, count());
    return seen_ > before;
  }
  std::uint64_t times = 0;
  if (::read(fd_.get(), &times, sizeof times) != static_cast<ssize_t>(sizeof times)) return false;
  // The end of the cgroup is told in the same way.
  return ::access((directory_ + "/cgroup.event_control").c_str(), F_OK) == 0;
}

}  // namespace berth::container
