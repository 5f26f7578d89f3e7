// CgroupV1: one directory in each hierarchy of a legacy or hybrid host that the container needs.
// Used are the hierarchies that account (memory, cpuacct, pids), the one that guards devices, and
// those a limit was asked of; each costs about 100 us to make, fill and remove. The freezer's is
// made when the container is first frozen.
#pragma once

#include "container/cgroup/manager.h"
#include "container/cgroup/settings.h"
#include "container/cgroup/tree.h"

namespace berth::container {

/// Whether the cgroup at `path` is in the hierarchy of `controller` ("cpu"), by the names of the
/// hierarchies' directories.
bool is_of_controller(std::string_view path, std::string_view controller);

class CgroupV1 final : public CgroupManager {
 public:
  CgroupV1(std::vector<Hierarchy> used, std::string relative, std::string freezer_root)
      : hierarchies_(std::move(used)),
        relative_(std::move(relative)),
        freezer_root_(std::move(freezer_root)) {}
  /// Of existing directories; hierarchies() is empty then.
  static Result<std::unique_ptr<CgroupManager>> adopt(const std::vector<std::string>& paths);

  Result<void> create() override;
  Result<void> apply(const Resources& resources) override;
  Result<std::vector<UniqueFd>> entrances() const override;
  const std::vector<std::string>& paths() const override { return paths_; }
  const std::vector<Hierarchy>& hierarchies() const override { return hierarchies_; }
  CgroupVersion version() const override { return CgroupVersion::kV1; }
  Result<CgroupStats> stats() const override;
  Result<std::vector<pid_t>> processes() const override;
  Result<void> freeze(bool frozen) override;
  Result<void> destroy() override;

 private:
  const CgroupDirectory* find(std::string_view controller) const;

  std::vector<Hierarchy> hierarchies_;  // parallel to directories_ unless adopted
  std::string relative_;
  std::string freezer_root_;  // the freezer hierarchy's mount; empty: none
  std::vector<CgroupDirectory> directories_;
  std::vector<std::string> paths_;
};

}  // namespace berth::container
