// CgroupV2: one directory in the unified hierarchy. Controllers are enabled on the way down to it
// (cgroup.subtree_control), processes are cloned into it, cgroup.kill ends them, cgroup.events says
// when they are gone. cgroup-v2.rst.
#pragma once

#include <optional>

#include "container/cgroup/manager.h"
#include "container/cgroup/tree.h"

namespace berth::container {

class CgroupV2 final : public CgroupManager {
 public:
  /// `needed`: the controllers of the limits that will be applied.
  CgroupV2(Hierarchy hierarchy, std::string relative, std::vector<std::string> needed = {})
      : hierarchies_{std::move(hierarchy)},
        relative_(std::move(relative)),
        needed_(std::move(needed)) {}
  static Result<std::unique_ptr<CgroupManager>> adopt(const std::string& path);

  bool is_made_before_init() const override { return true; }
  Result<void> create(pid_t init) override;
  Result<void> apply(const Resources& resources) override;
  int clone_directory() const override { return directory_ ? directory_->fd() : -1; }
  const std::vector<std::string>& paths() const override { return paths_; }
  const std::string& relative() const override { return relative_; }
  const std::vector<Hierarchy>& hierarchies() const override { return hierarchies_; }
  CgroupVersion version() const override { return CgroupVersion::kV2; }
  const CgroupDirectory* directory_of(std::string_view) const override {
    return directory_ ? &*directory_ : nullptr;
  }
  Result<void> extend(const std::vector<std::string>& controllers) override;
  Result<CgroupStats> stats() const override;
  Result<std::vector<pid_t>> processes() const override;
  Result<void> freeze(bool frozen) override;
  Result<void> destroy() override;

 private:
  bool has_all_controllers(const CgroupDirectory& leaf) const;
  Result<void> enable_controllers(const CgroupDirectory& directory_of_container) const;

  std::vector<Hierarchy> hierarchies_;
  std::string relative_;
  std::vector<std::string> needed_;
  std::optional<CgroupDirectory> directory_;
  std::vector<std::string> paths_;
};

}  // namespace berth::container
