#include "container/cgroup/freezer.h"

#include <chrono>
#include <thread>

#include "container/cgroup/ending.h"
#include "container/cgroup/v1_paths.h"
#include "sys/file.h"

namespace berth::container {
namespace {

constexpr std::size_t kMaxFlagBytes = 64;

std::optional<bool> read_flag(const std::string& path) {
  const auto text = sys::read_file(path, kMaxFlagBytes);
  if (!text.ok() || text->empty()) return std::nullopt;
  return text->front() == '1';
}

}  // namespace

bool is_frozen(const std::vector<std::string>& cgroup_paths) {
  if (cgroup_paths.empty()) return false;
  const std::string& first = cgroup_paths.front();
  // Only v2 has such a file.
  if (const auto frozen = read_flag(first + "/cgroup.freeze")) return *frozen;
  const auto place = v1_place_of(first);
  if (!place) return false;
  return read_flag(fmt::format("{}/freezer/{}/freezer.self_freezing", place->root, place->relative))
      .value_or(false);
}

// The kernel tells nobody when the last process has stopped, and one that is just about to sleep in
// the kernel may have missed the word: so it is said again until the state is read as FROZEN.
Result<void> freeze_v1(const CgroupDirectory& freezer) {
  constexpr std::chrono::milliseconds kBetweenLooks{1};
  const Deadline deadline = kill_deadline();
  for (;;) {
    TRY(freezer.write("freezer.state", "FROZEN"));
    if (TRY(freezer.read("freezer.state")).starts_with("FROZEN")) return {};
    if (milliseconds_left(deadline) == 0) break;
    std::this_thread::sleep_for(kBetweenLooks);
  }
  TRY(thaw_v1(freezer));
  return fail(ErrorKind::kConflict,
              "{} is not frozen after {} s: a process there is stuck in the kernel (state D in "
              "ps); it runs on",
              freezer.path(), kKillDeadline.count());
}

Result<void> thaw_v1(const CgroupDirectory& freezer) {
  return freezer.write("freezer.state", "THAWED");
}

}  // namespace berth::container
