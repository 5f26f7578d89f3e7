#include "container/isolate/mapped_mounts.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>

#include "container/isolate/id_maps.h"
#include "sys/process.h"

namespace berth::container {
namespace {

Result<UniqueFd> map_and_open(pid_t pid, const std::vector<IdMapping>& uids,
                              const std::vector<IdMapping>& gids) {
  TRY(write_id_maps(pid, uids, gids));
  UniqueFd opened(::open(fmt::format("/proc/{}/ns/user", pid).c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened.valid()) return fail_errno("cannot open a user namespace");
  return opened;
}

}  // namespace

Result<UniqueFd> make_user_namespace(const std::vector<IdMapping>& uids,
                                     const std::vector<IdMapping>& gids) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("cannot make a pipe");
  UniqueFd held(ends[0]);
  UniqueFd holds(ends[1]);
  auto holder = sys::clone_process({.flags = CLONE_NEWUSER});
  if (!holder.ok()) return std::move(holder).error().context("cannot make a user namespace");
  if (holder->pid == 0) {
    ::close(holds.get());
    hold_user_namespace(held.get());
  }
  auto opened = map_and_open(holder->pid, uids, gids);
  holds.reset();
  TRY(sys::wait_process(holder->pidfd.get()));
  return opened;
}

MappedMounts::MappedMounts(const Spec& spec, const NamespacePlan& namespaces)
    : own_user_namespace_(namespaces.new_user),
      container_(spec.linux_.uid_mappings, spec.linux_.gid_mappings) {
  if (namespaces.owner.valid()) joined_user_namespace_ = namespaces.owner.get();
}

Result<int> MappedMounts::namespace_of(const Mapping& mapping) {
  const auto made = std::ranges::find(
      namespaces_, mapping, [](const auto& item) -> const Mapping& { return item.first; });
  if (made != namespaces_.end()) return made->second.get();
  namespaces_.emplace_back(mapping, TRY(make_user_namespace(mapping.first, mapping.second)));
  return namespaces_.back().second.get();
}

Result<void> MappedMounts::add(const Mount& mount, const std::string& noun, MountPlan& plan) {
  const bool has_own = !mount.uid_mappings.empty() || !mount.gid_mappings.empty();
  const bool mapped = has_own || plan.options.id_mapped != sys::IdMapped::kNo;
  if (mapped && plan.kind != MountKind::kBind)
    return fail(ErrorKind::kInvalid, "{}: ids can only be mapped for a bind mount", noun);
  if (plan.kind != MountKind::kBind) return {};
  // A user without privileges has no more rights than its init.
  const bool inside = own_user_namespace_ || joined_user_namespace_ >= 0;
  plan.by_parent = mapped || (inside && ::geteuid() == 0);
  if (!mapped) return {};
  if (has_own) {
    plan.user_namespace = TRY(namespace_of({mount.uid_mappings, mount.gid_mappings}).context(noun));
  } else if (own_user_namespace_) {
    plan.user_namespace = TRY(namespace_of(container_).context(noun));
  } else if (joined_user_namespace_ >= 0) {
    plan.user_namespace = joined_user_namespace_;
  } else {
    return fail(ErrorKind::kInvalid,
                "{}: idmap needs uidMappings and gidMappings, of the mount or of a user namespace",
                noun);
  }
  return {};
}

Failure MappedMounts::make(std::span<MountPlan> mounts) {
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    if (!mounts[i].by_parent) continue;
    Step step = Step::kMountSource;
    mounts[i].premade = make_mount(mounts[i], &step);
    if (mounts[i].premade < 0) return {step, static_cast<std::uint16_t>(i), errno};
    mounts_.emplace_back(mounts[i].premade);
  }
  return {};
}

void MappedMounts::close() {
  namespaces_.clear();
  mounts_.clear();
}

}  // namespace berth::container
