#include "berth-runtime/help.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace berth::runtime {
namespace {

struct FlagRow {
  std::string_view verbs;  // separated by blanks; empty: before the verb
  char letter;             // 0: none
  std::string_view flag;   // with the name of its value
  std::string_view text;
};

constexpr auto kFlags = std::to_array<FlagRow>({
    {"", 0, "root DIR", "what is remembered of each container (default \"/run/berth-runtime\")"},
    {"", 0, "log FILE", "append what goes wrong here, and to standard error"},
    {"", 0, "log-format FORMAT", "text (default) or json"},
    {"", 0, "debug", "log more"},
    {"", 0, "systemd-cgroup", "control groups are made by systemd, as linux.cgroupsPath says"},
    {"", 0, "rootless MODE", "accepted; what the caller may do shows when it is done"},
    {"", 'h', "help", "print this; behind a verb: its flags"},
    {"", 'v', "version", "print the version, and that of the specification"},

    {"create run restore", 'b', "bundle DIR", "the bundle (default: the working directory)"},
    {"create run exec restore", 0, "pid-file FILE", "write the id of the process here"},
    {"create run exec restore", 0, "console-socket PATH",
     "send the terminal's master to who listens there"},
    {"create run exec", 0, "pidfd-socket PATH", "send a pidfd of the process to who listens there"},
    {"create run exec", 0, "preserve-fds N", "keep N descriptors from 3 on"},
    {"create run restore", 0, "no-pivot",
     "refused: without pivot_root the host's mounts stay in reach"},
    {"create run", 0, "no-new-keyring", "keep the caller's session keyring"},
    {"create run exec restore", 0, "no-subreaper", "accepted"},
    {"run exec restore", 'd', "detach", "do not wait (nor delete)"},
    {"run", 0, "keep", "do not delete"},

    {"exec", 't', "tty", "with a terminal"},
    {"exec", 'e', "env VAR=VALUE", "add to the environment; may be repeated"},
    {"exec", 'u', "user UID[:GID]", "instead of the first process's"},
    {"exec", 'g', "additional-gids GID", "add a supplementary group; may be repeated"},
    {"exec", 0, "cwd DIR", "the working directory"},
    {"exec", 'p', "process FILE",
     "what config.json has as process; no other of these flags counts then"},
    {"exec", 'c', "cap CAPABILITY",
     "add it to the bounding, effective and permitted sets; may be repeated"},
    {"exec", 0, "no-new-privs", "set no_new_privs"},
    {"exec", 0, "cgroup [CONTROLLERS:]PATH",
     "in this cgroup below the container's; may be repeated"},
    {"exec", 0, "ignore-paused", "also if the container is paused: it starts when that ends"},

    {"kill", 'a', "all", "to every process of the container, not to its init alone"},
    {"delete", 'f', "force", "kill one that has not stopped; no such container is no error"},
    {"list ps", 'f', "format FORMAT", "table (default) or json"},
    {"list", 'q', "quiet", "only the ids"},

    {"update", 0, "blkio-weight N", "weight among the users of block devices, 10 to 1000"},
    {"update", 0, "cpu-burst US", "what may be saved up of the quota"},
    {"update", 0, "cpu-idle N", "1: run only when nobody else wants to"},
    {"update", 0, "cpu-period US", "the time that the quota is for"},
    {"update", 0, "cpu-quota US", "CPU time in each period; -1: no limit"},
    {"update", 0, "cpu-rt-period US", "as cpu-period, for realtime processes (v1)"},
    {"update", 0, "cpu-rt-runtime US", "as cpu-quota, for realtime processes (v1)"},
    {"update", 0, "cpu-share N", "weight among the users of the CPUs, 2 to 262144"},
    {"update", 0, "cpuset-cpus LIST", "the CPUs to use: 0-2,5"},
    {"update", 0, "cpuset-mems LIST", "the memory nodes to use"},
    {"update", 0, "kernel-memory SIZE", "ignored with a warning"},
    {"update", 0, "kernel-memory-tcp SIZE", "ignored with a warning"},
    {"update", 0, "l3-cache-schema TEXT", "the class's share of the L3 cache: L3:0=f"},
    {"update", 0, "mem-bw-schema TEXT", "the class's share of the bandwidth: MB:0=20"},
    {"update", 0, "memory SIZE", "64m, 1.5g, or -1: no limit"},
    {"update", 0, "memory-reservation SIZE", "what to keep when memory is scarce"},
    {"update", 0, "memory-swap SIZE", "memory and swap together; -1: no limit"},
    {"update", 0, "pids-limit N", "processes and threads; -1: no limit"},
    {"update", 'r', "resources FILE",
     "linux.resources as JSON, - for standard input; no other flag counts then"},

    {"events", 0, "interval TIME", "between two numbers: 5s (default), 1m30s, 250ms"},
    {"events", 0, "stats", "print the numbers once and end"},

    {"checkpoint restore", 0, "image-path DIR", "criu's images (default \"checkpoint\")"},
    {"checkpoint restore", 0, "work-path DIR", "criu's log (default: beside the images)"},
    {"checkpoint restore", 0, "tcp-established", "with open TCP connections"},
    {"checkpoint restore", 0, "ext-unix-sk", "with unix sockets of others"},
    {"checkpoint restore", 0, "shell-job", "with a terminal that is not the container's own"},
    {"checkpoint restore", 0, "file-locks", "with locks of files"},
    {"checkpoint restore", 0, "manage-cgroups-mode MODE", "soft (default), full, strict or ignore"},
    {"checkpoint restore", 0, "empty-ns NAMESPACE",
     "only its being there counts: network, which is always so"},
    {"checkpoint restore", 0, "auto-dedup", "without the pages that a later dump has again"},
    {"checkpoint restore", 0, "lazy-pages", "memory is brought when it is needed"},
    {"checkpoint", 0, "parent-path DIR",
     "an earlier pre-dump, relative to the images: only what changed since"},
    {"checkpoint", 0, "leave-running", "do not end the container"},
    {"checkpoint", 0, "tcp-skip-in-flight", "without connections that are not accepted yet"},
    {"checkpoint", 0, "link-remap", "give deleted files a name again where that can be"},
    {"checkpoint", 0, "status-fd N", "a NUL byte goes there when lazy pages can be asked for"},
    {"checkpoint", 0, "page-server ADDRESS:PORT", "send memory to the criu page-server there"},
    {"checkpoint", 0, "pre-dump", "only memory, and the container runs on"},
    {"restore", 0, "lsm-profile TYPE:NAME", "apparmor or selinux, instead of that of the dump"},
    {"restore", 0, "lsm-mount-context CONTEXT", "SELinux's, of what is mounted"},

    {"spec", 'b', "bundle DIR", "here instead of in the working directory"},
    {"spec", 0, "rootless", "for a user without privileges"},
    {"spec", 0, "seccomp", "with the seccomp profile that the engine's containers have"},
});

bool is_for(const FlagRow& row, std::string_view verb) {
  if (verb.empty()) return row.verbs.empty();
  const auto at = row.verbs.find(verb);
  if (at == std::string_view::npos) return false;
  const auto end = at + verb.size();
  return (at == 0 || row.verbs[at - 1] == ' ') &&
         (end == row.verbs.size() || row.verbs[end] == ' ');
}

// What follows the id is another program's command line.
bool stops_at_argument(std::string_view verb) {
  return verb == "ps" || verb == "exec";
}

}  // namespace

bool asks_for_help(std::string_view verb, Words words) {
  for (const std::string& word : words) {
    if (word == "--" || (stops_at_argument(verb) && !word.starts_with('-'))) return false;
    if (word == "--help" || word == "-h") return true;
  }
  return false;
}

void print_flags(std::string_view verb) {
  for (const FlagRow& row : kFlags) {
    if (!is_for(row, verb)) continue;
    const std::string letter = row.letter ? fmt::format("-{},", row.letter) : std::string("   ");
    fmt::print("  {} --{:<24} {}\n", letter, row.flag, row.text);
  }
}

}  // namespace berth::runtime
