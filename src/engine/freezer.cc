#include "engine/freezer.h"

#include "base/log.h"
#include "container/cgroup/freezer.h"
#include "holder/protocol.h"
#include "sys/file.h"

namespace berth::engine {
namespace {

Result<std::vector<std::string>> cgroups_of(const std::string& run_dir) {
  const std::string text = TRY(sys::read_file(fmt::format("{}/{}", run_dir, holder::kStartedName)));
  return TRY(holder::started_record_from_json(text)).cgroups;
}

}  // namespace

Result<Frozen> Frozen::freeze(const std::string& run_dir) {
  auto cgroups = TRY(container::adopt_cgroups(TRY(cgroups_of(run_dir))));
  TRY(cgroups->freeze(true));
  return Frozen(std::move(cgroups));
}

Frozen::~Frozen() {
  if (!cgroups_) return;
  // Gone with the workload, if it was killed meanwhile.
  if (auto thawed = cgroups_->freeze(false);
      !thawed.ok() && thawed.error().kind() != ErrorKind::kNotFound)
    log::error("let a container go on: {}", thawed.error().message());
}

void thaw_left_over(const std::string& run_dir) {
  const auto thaw = [&]() -> Result<void> {
    const auto cgroups = TRY(cgroups_of(run_dir));
    if (!container::is_frozen(cgroups)) return {};
    log::info("{} was frozen when the engine ended: it goes on", run_dir);
    return TRY(container::adopt_cgroups(cgroups))->freeze(false);
  };
  if (auto thawed = thaw(); !thawed.ok()) log::warning("{}", thawed.error().message());
}

}  // namespace berth::engine
