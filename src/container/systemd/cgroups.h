// SystemdCgroups: the cgroups of a container as those of a unit that systemd makes for it, a scope
// or a slice. Who makes the group is all that differs: limits, freezing and counting are done in
// its files, by the manager of the cgroup version that this one holds. systemd is told the limits
// too, for it keeps the files of its units. CGROUP_DELEGATION.md of systemd; runc docs/systemd.md.
//
// A scope needs a process to begin with, so it is made around init, while that waits to hear of its
// cgroups (runtime/handshake.h). A scope whose last process ends goes by itself; a slice stays.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "container/cgroup/manager.h"
#include "container/systemd/properties.h"
#include "container/systemd/unit.h"
#include "container/systemd/unit_manager.h"

namespace berth::container {

/// What a unit is made of.
struct UnitPlan {
  Unit unit = {};
  std::string description = {};
  Resources limits = {};                     // complete, the rules for devices included
  std::vector<UnitProperty> annotated = {};  // win over everything else
};

class SystemdCgroups final : public CgroupManager {
 public:
  /// Of a new unit; `inner` manages new cgroups at its path.
  SystemdCgroups(UnitPlan plan, std::unique_ptr<CgroupManager> inner)
      : plan_(std::move(plan)), inner_(std::move(inner)) {}
  /// Of a unit that was started; `inner` has adopted its cgroups.
  SystemdCgroups(std::string unit, std::unique_ptr<CgroupManager> inner)
      : plan_{.unit = {.name = std::move(unit)}}, inner_(std::move(inner)), may_be_there_(true) {}

  /// The unit's start is what makes them. What is made before an error is left to destroy(), which
  /// is called when init is gone: systemd would wait for it.
  Result<void> create(pid_t init) override;
  Result<void> apply(const Resources& resources) override;
  int clone_directory() const override;
  Result<std::vector<UniqueFd>> entrances() const override { return inner_->entrances(); }
  Result<void> admit(pid_t pid) override;
  const std::vector<std::string>& paths() const override { return inner_->paths(); }
  const std::string& relative() const override { return inner_->relative(); }
  const std::vector<Hierarchy>& hierarchies() const override { return inner_->hierarchies(); }
  CgroupVersion version() const override { return inner_->version(); }
  const CgroupDirectory* directory_of(std::string_view controller) const override {
    return inner_->directory_of(controller);
  }
  std::string unit() const override { return plan_.unit.name; }
  Resources as_kept(Resources resources) const override;
  Result<void> announce(const Resources& resources) override;
  Result<void> extend(const std::vector<std::string>& controllers) override {
    return inner_->extend(controllers);
  }
  Result<CgroupStats> stats() const override { return inner_->stats(); }
  Result<std::vector<pid_t>> processes() const override;
  Result<void> freeze(bool frozen) override { return inner_->freeze(frozen); }
  Result<void> destroy() override;

 private:
  Result<std::vector<UnitProperty>> properties(int systemd_version, pid_t init) const;
  Result<std::vector<UnitProperty>> limits(const Resources& resources, int systemd_version) const;
  Result<void> take_in(pid_t init);

  UnitPlan plan_;
  std::unique_ptr<CgroupManager> inner_;
  bool may_be_there_ = false;  // the unit
};

/// Manager of new cgroups by way of systemd: the unit that spec.linux.cgroupsPath names. Touches
/// nothing yet. kUnsupported: there is no systemd, or none for this user; kInvalid: the path or an
/// annotation is of another form.
Result<std::unique_ptr<CgroupManager>> open_systemd_cgroups(const CgroupLayout& layout,
                                                            const Spec& spec, const std::string& id,
                                                            const Resources& limits);

/// adopt_cgroups(), if `unit` is not empty as those of that unit.
Result<std::unique_ptr<CgroupManager>> adopt_cgroups_of(const std::string& unit,
                                                        const std::vector<std::string>& paths);

}  // namespace berth::container
