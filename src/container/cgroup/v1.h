// CgroupV1: one directory in each hierarchy of a legacy or hybrid host that the container needs.
// Used are the hierarchies that account (memory, cpuacct, pids), the one that guards devices, and
// those a limit was asked of; each costs about 100 us to make, fill and remove. The others are the
// container's at the same path, but made only when it is first frozen, or first limited by one of
// them (extend()). That they are there is the only record of it, so a crash cannot lose them.
#pragma once

#include <deque>

#include "container/cgroup/manager.h"
#include "container/cgroup/settings.h"
#include "container/cgroup/tree.h"

namespace berth::container {

class CgroupV1 final : public CgroupManager {
 public:
  /// `others`: the hierarchies that are not used yet.
  CgroupV1(std::vector<Hierarchy> used, std::string relative, std::vector<Hierarchy> others)
      : hierarchies_(std::move(used)), relative_(std::move(relative)), others_(std::move(others)) {}
  /// Of existing directories; hierarchies() is empty then.
  static Result<std::unique_ptr<CgroupManager>> adopt(const std::vector<std::string>& paths);

  Result<void> create(pid_t init) override;
  Result<void> apply(const Resources& resources) override;
  Result<std::vector<UniqueFd>> entrances() const override;
  const std::vector<std::string>& paths() const override { return paths_; }
  const std::string& relative() const override { return relative_; }
  const std::vector<Hierarchy>& hierarchies() const override { return hierarchies_; }
  CgroupVersion version() const override { return CgroupVersion::kV1; }
  const CgroupDirectory* directory_of(std::string_view controller) const override;
  Result<void> extend(const std::vector<std::string>& controllers) override;
  Result<CgroupStats> stats() const override;
  Result<std::vector<pid_t>> processes() const override;
  Result<void> freeze(bool frozen) override;
  Result<void> destroy() override;

 private:
  void find_later_ones();
  Result<const CgroupDirectory*> join(std::string_view controller);
  Result<void> bring_in(const CgroupDirectory& directory) const;

  std::vector<Hierarchy> hierarchies_;  // of the first directories_, unless adopted
  std::string relative_;
  std::vector<Hierarchy> others_;
  std::vector<CgroupDirectory> directories_;  // used from the start
  std::deque<CgroupDirectory> later_;         // of others_, made since then; pointers to it last
  std::vector<std::string> paths_;
};

}  // namespace berth::container
