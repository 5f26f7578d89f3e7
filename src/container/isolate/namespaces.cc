#include "container/isolate/namespaces.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>

#include "container/spec/names.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

namespace berth::container {
namespace {

struct TypeRow {
  NamespaceType type;
  int flag;
};

// In the order of entering: the user namespace first, for it gives the rights over the others it
// owns.
constexpr auto kTypes = std::to_array<TypeRow>({
    {NamespaceType::kUser, CLONE_NEWUSER},
    {NamespaceType::kPid, CLONE_NEWPID},
    {NamespaceType::kNetwork, CLONE_NEWNET},
    {NamespaceType::kUts, CLONE_NEWUTS},
    {NamespaceType::kIpc, CLONE_NEWIPC},
    {NamespaceType::kCgroup, CLONE_NEWCGROUP},
    {NamespaceType::kTime, CLONE_NEWTIME},
    {NamespaceType::kMount, CLONE_NEWNS},
});

Result<UniqueFd> open_namespace(const Namespace& wanted, int flag) {
  UniqueFd fd(::open(wanted.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd.valid())
    return fail_errno("cannot open the {} namespace '{}'", name_of(wanted.type), wanted.path);
  if (::ioctl(fd.get(), NS_GET_NSTYPE) != flag)
    return fail(ErrorKind::kInvalid, "'{}' is not a {} namespace", wanted.path,
                name_of(wanted.type));
  return fd;
}

std::string offsets_text(const TimeOffsets& offsets) {
  std::string text;
  if (offsets.monotonic)
    text += fmt::format("monotonic {} {}\n", offsets.monotonic->secs, offsets.monotonic->nanosecs);
  if (offsets.boottime)
    text += fmt::format("boottime {} {}\n", offsets.boottime->secs, offsets.boottime->nanosecs);
  return text;
}

}  // namespace

std::uint64_t namespaces_of(const Spec& spec) {
  std::uint64_t flags = 0;
  for (const TypeRow& row : kTypes)
    if (find_namespace(spec, row.type)) flags |= static_cast<std::uint64_t>(row.flag);
  return flags;
}

Result<NamespacePlan> plan_namespaces(const Spec& spec, int network_namespace) {
  NamespacePlan plan;
  plan.network_fd = network_namespace;
  const Namespace* user = find_namespace(spec, NamespaceType::kUser);
  plan.new_user = user && user->path.empty();
  for (const TypeRow& row : kTypes) {
    const Namespace* wanted = find_namespace(spec, row.type);
    if (!wanted || (row.type == NamespaceType::kNetwork && network_namespace >= 0)) continue;
    if (!wanted->path.empty()) {
      UniqueFd fd = TRY(open_namespace(*wanted, row.flag));
      if (row.type == NamespaceType::kPid)
        plan.join_pid = std::move(fd);
      else
        plan.joins.push_back({row.type, row.flag, std::move(fd)});
      continue;
    }
    switch (row.type) {
      case NamespaceType::kNetwork:
        plan.loopback = true;
        plan.new_network = !user;
        if (user) plan.clone_flags |= CLONE_NEWNET;
        break;
      case NamespaceType::kCgroup:
        plan.new_cgroup = true;
        break;
      case NamespaceType::kTime:
        plan.new_time = true;
        plan.offsets_text = offsets_text(spec.linux_.time_offsets);
        break;
      default:
        plan.clone_flags |= static_cast<std::uint64_t>(row.flag);
    }
  }
  if (user && !user->path.empty() && plan.clone_flags != 0) {
    plan.owner = std::move(plan.joins.front().fd);
    plan.joins.erase(plan.joins.begin());
  }
  return plan;
}

}  // namespace berth::container
