// berth-runtime events [--stats] [--interval DURATION] <id>: what the container uses, again and
// again, and when it runs out of memory, until it ends.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <limits>

#include "berth-runtime/launch.h"
#include "berth-runtime/quantities.h"
#include "berth-runtime/usage_json.h"
#include "container/cgroup/oom_watch.h"
#include "container/cgroup/usage.h"
#include "sys/file.h"
#include "sys/process.h"

namespace berth::runtime {
namespace {

using Clock = std::chrono::steady_clock;

// A line at a time: whoever reads them waits for each.
Result<void> print_line(std::string line) {
  line += '\n';
  return sys::write_all(STDOUT_FILENO, line).context("standard output");
}

int milliseconds_until(Clock::time_point time) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(time - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, std::numeric_limits<int>::max()));
}

// Where a container's events come from.
struct Watched {
  std::string id;
  std::unique_ptr<container::CgroupManager> cgroups;
  std::optional<container::RdtGroups> rdt;
};

Result<Watched> watch(const Store& store, const Record& record) {
  Watched watched{
      .id = record.id, .cgroups = TRY(container::adopt_cgroups(record.cgroups)), .rdt = {}};
  if (const auto rdt = TRY(store.spec(record.id)).linux_.intel_rdt)
    watched.rdt.emplace(*rdt, record.id, TRY(container::find_resctrl()));
  return watched;
}

Result<void> print_stats(const Watched& watched) {
  const auto usage = TRY(container::read_usage(*watched.cgroups));
  std::optional<container::RdtUsage> rdt;
  if (watched.rdt) rdt = TRY(container::read_rdt_usage(*watched.rdt));
  return print_line(stats_event(watched.id, usage, rdt));
}

Result<void> follow(const Watched& watched, int pidfd, std::chrono::nanoseconds interval) {
  const container::CgroupManager& cgroups = *watched.cgroups;
  auto oom = TRY(container::OomWatch::create(cgroups));
  enum { kEnded, kOom, kCount };
  pollfd sources[kCount] = {{pidfd, POLLIN, 0}, {oom.fd(), POLLIN | POLLPRI, 0}};
  if (cgroups.version() == container::CgroupVersion::kV2) sources[kOom].events = POLLPRI;
  for (auto next = Clock::now() + interval;;) {
    if (::poll(sources, kCount, milliseconds_until(next)) < 0 && errno != EINTR)
      return fail_errno("poll");
    // Also at the end, which may be because of it.
    if (oom.look()) TRY(print_line(oom_event(watched.id)));
    if (sources[kEnded].revents != 0) return {};
    if (Clock::now() < next) continue;
    next = std::max(next + interval, Clock::now());
    TRY(print_stats(watched));
  }
}

}  // namespace

Result<int> events(const Globals& globals, Words words) {
  std::string interval = "5s";
  bool stats = false;
  Flags flags;
  flags.add("interval", 0, &interval);
  flags.add("stats", 0, &stats);
  const std::string id = TRY(single_id(TRY(flags.parse(words)), "events"));
  const auto duration = parse_duration(interval);
  if (!duration)
    return fail(ErrorKind::kInvalid, "--interval must be a time as 5s or 1m30s, not '{}'",
                interval);
  if (duration->count() == 0)
    return fail(ErrorKind::kInvalid, "duration interval must be greater than 0");
  const Store store(globals.root);
  const Record record = TRY(store.load(id));
  const auto pidfd = sys::open_pidfd(record.pid);
  // Opened first, compared then, as for kill.
  const Status status = store.status(record);
  if (!pidfd.ok() || status == Status::kStopped || status == Status::kCreating)
    return fail(ErrorKind::kConflict, "container with id {} is not running", id);
  const Watched watched = TRY(watch(store, record));
  if (stats)
    TRY(print_stats(watched));
  else
    TRY(follow(watched, pidfd->get(), *duration));
  return 0;
}

}  // namespace berth::runtime
