#include "container/isolate/id_maps.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "container/isolate/proc_file.h"

namespace berth::container {
namespace {

std::string map_text(const std::vector<IdMapping>& mappings) {
  std::string text;
  for (const IdMapping& m : mappings)
    text += fmt::format("{} {} {}\n", m.container_id, m.host_id, m.size);
  return text;
}

bool is_own_alone(const std::vector<IdMapping>& mappings, unsigned id) {
  return mappings.size() == 1 && mappings[0].host_id == id && mappings[0].size == 1;
}

// Runs newuidmap or newgidmap, which say on standard error what they mind.
Result<void> run_mapper(const char* program, pid_t pid, const std::vector<IdMapping>& mappings) {
  std::vector<std::string> words = {program, fmt::format("{}", pid)};
  for (const IdMapping& m : mappings)
    for (const std::uint32_t number : {m.container_id, m.host_id, m.size})
      words.push_back(fmt::format("{}", number));
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t mapper = 0;
  if (const int error = ::posix_spawnp(&mapper, program, nullptr, nullptr, argv.data(), environ);
      error != 0)
    return Error::from_errno(
        error,
        fmt::format("cannot run {}, which maps several ids for a user (package uidmap)", program));
  int status = 0;
  while (::waitpid(mapper, &status, 0) < 0)
    if (errno != EINTR) return fail_errno("cannot wait for {}", program);
  if (status == 0) return {};
  return fail(ErrorKind::kPermission,
              "{} refuses the mapping: the user's ids are in /etc/subuid and /etc/subgid", program);
}

}  // namespace

Result<void> write_id_maps(pid_t pid, const std::vector<IdMapping>& uids,
                           const std::vector<IdMapping>& gids) {
  const bool privileged = ::geteuid() == 0;
  if (privileged || is_own_alone(uids, ::geteuid()))
    TRY(write_proc(pid, "uid_map", map_text(uids)));
  else
    TRY(run_mapper("newuidmap", pid, uids));
  if (!privileged && !is_own_alone(gids, ::getegid())) return run_mapper("newgidmap", pid, gids);
  // Else a user could leave a group that keeps it out of a file.
  if (!privileged) TRY(write_proc(pid, "setgroups", "deny"));
  return write_proc(pid, "gid_map", map_text(gids));
}

}  // namespace berth::container
