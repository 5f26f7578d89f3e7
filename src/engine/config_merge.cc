#include "engine/config_merge.h"

#include <sched.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <csignal>
#include <thread>

namespace berth::engine {
namespace {

std::string_view name_of(std::string_view assignment) {
  return assignment.substr(0, assignment.find('='));
}

// Docker refuses less: a process cannot even be charged for its own exec below it.
constexpr std::int64_t kMinMemory = 6LL << 20;
// What the pids controller takes: PIDS_MAX of kernel/cgroup/pids.c.
constexpr std::int64_t kMaxPids = 4LL << 20;
// A hundredth of a CPU: the least quota the scheduler takes, 1 ms, of a period of 100 ms
// (sched-bwc).
constexpr std::int64_t kMinNanoCpus = 10'000'000;
constexpr std::int64_t kNanosPerCpu = 1'000'000'000;

Result<void> check_memory(const WorkloadConfig& config) {
  const Resources& r = config.resources;
  if (r.memory < 0) return fail(ErrorKind::kInvalid, "memory limit {} is negative", r.memory);
  if (r.memory > 0 && r.memory < kMinMemory)
    return fail(ErrorKind::kInvalid, "Minimum memory limit allowed is 6MB");
  if (r.memory_reservation < 0)
    return fail(ErrorKind::kInvalid, "memory reservation {} is negative", r.memory_reservation);
  if (r.memory_reservation > 0 && r.memory_reservation < kMinMemory)
    return fail(ErrorKind::kInvalid, "Minimum memory reservation allowed is 6MB");
  if (r.memory_swap < -1)
    return fail(ErrorKind::kInvalid,
                "memory and swap limit {} is out of range: use -1 for unlimited swap",
                r.memory_swap);
  if (r.memory > 0 && r.memory_swap > 0 && r.memory_swap < r.memory)
    return fail(ErrorKind::kInvalid,
                "Minimum memoryswap limit should be larger than memory limit, see usage");
  if (r.memory == 0 && r.memory_swap > 0)
    return fail(ErrorKind::kInvalid,
                "You should always set the Memory limit when using Memoryswap limit, see usage");
  if (r.memory > 0 && r.memory_reservation > r.memory)
    return fail(ErrorKind::kInvalid,
                "Minimum memory limit can not be less than memory reservation limit, see usage");
  return {};
}

Result<void> check_pids(const WorkloadConfig& config) {
  const std::int64_t limit = config.resources.pids_limit;
  if (limit <= kMaxPids) return {};
  return fail(ErrorKind::kInvalid,
              "pids limit {} is out of range: it is from 1 to {}, or -1 for no limit", limit,
              kMaxPids);
}

Result<void> check_cpu(const WorkloadConfig& config, unsigned cpus) {
  const Resources& r = config.resources;
  if (r.nano_cpus != 0 && (r.nano_cpus < kMinNanoCpus || r.nano_cpus > cpus * kNanosPerCpu))
    return fail(ErrorKind::kInvalid,
                "range of CPUs is from 0.01 to {}.00, as there are only {} CPUs available", cpus,
                cpus);
  if (r.nano_cpus > 0 && (r.cpu_quota != 0 || r.cpu_period != 0))
    return fail(ErrorKind::kInvalid,
                "Conflicting options: Nano CPUs and CPU Period (or Quota) cannot both be set: use "
                "--cpus or "
                "--cpu-period with --cpu-quota");
  if (r.cpu_period != 0 && (r.cpu_period < 1000 || r.cpu_period > 1'000'000))
    return fail(
        ErrorKind::kInvalid,
        "CPU cfs period cannot be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
  if (r.cpu_quota > 0 && r.cpu_quota < 1000)
    return fail(ErrorKind::kInvalid, "CPU cfs quota cannot be less than 1ms (i.e. 1000)");
  if (r.cpu_shares < 0)
    return fail(ErrorKind::kInvalid, "CPU shares {} are negative", r.cpu_shares);
  if (r.blkio_weight != 0 && (r.blkio_weight < 10 || r.blkio_weight > 1000))
    return fail(ErrorKind::kInvalid, "Range of blkio weight is from 10 to 1000");
  return {};
}

Result<void> check_paths(const WorkloadConfig& config) {
  if (!config.working_dir.empty() && config.working_dir[0] != '/')
    return fail(ErrorKind::kInvalid,
                "the working directory '{}' is invalid, it needs to be an absolute path",
                config.working_dir);
  std::vector<std::string_view> targets;
  for (const MountRequest& mount : config.mounts) {
    if (mount.target.empty() || mount.target[0] != '/')
      return fail(ErrorKind::kInvalid, "invalid mount path: '{}' mount path must be absolute",
                  mount.target);
    if (mount.target == "/")
      return fail(ErrorKind::kInvalid, "invalid volume specification: destination can't be '/'");
    if (mount.kind == MountKind::kBind && (mount.source.empty() || mount.source[0] != '/'))
      return fail(ErrorKind::kInvalid,
                  "invalid mount source '{}': a bind mount needs an absolute host path",
                  mount.source);
    targets.push_back(mount.target);
  }
  std::ranges::sort(targets);
  if (const auto twin = std::ranges::adjacent_find(targets); twin != targets.end())
    return fail(ErrorKind::kInvalid, "Duplicate mount point: {}", *twin);
  return {};
}

Result<void> check_names(const WorkloadConfig& config) {
  if (config.hostname.size() > 63)
    return fail(ErrorKind::kInvalid, "invalid hostname '{}': at most 63 characters",
                config.hostname);
  for (const std::string& variable : config.env) {
    if (variable.empty() || variable[0] == '=')
      return fail(ErrorKind::kInvalid, "invalid environment variable: '{}'", variable);
    if (variable.find('\0') != std::string::npos)
      return fail(ErrorKind::kInvalid, "environment variable '{}' contains a null byte",
                  name_of(variable));
  }
  if (config.entrypoint.value_or(std::vector<std::string>()).empty() && config.cmd.empty())
    return fail(ErrorKind::kInvalid,
                "No command specified: neither the image nor the request names one");
  if (!config.stop_signal.empty()) TRY(parse_signal(config.stop_signal));
  for (const std::string& host : config.extra_hosts) {
    if (host.find(':') == std::string::npos)
      return fail(ErrorKind::kInvalid, "bad format for add-host: \"{}\": use NAME:ADDRESS", host);
  }
  return {};
}

// What Docker's json-file knows and this one does not do yet. "mode" is how the holder writes.
Result<void> check_log(const LogConfig& log) {
  if (log.driver == "none") return {};
  if (log.driver != "json-file" && !log.driver.empty())
    return fail(ErrorKind::kUnsupported,
                "log driver '{}' is not supported yet: use json-file or none", log.driver);
  static constexpr std::array<std::string_view, 14> kKnown = {"cache-compress", "cache-disabled",
                                                              "cache-max-file", "cache-max-size",
                                                              "compress",       "env",
                                                              "env-regex",      "labels",
                                                              "labels-regex",   "max-buffer-size",
                                                              "max-file",       "max-size",
                                                              "mode",           "tag"};
  for (const auto& [option, value] : log.options) {
    if (option == "mode" && value == "blocking") continue;
    if (std::ranges::find(kKnown, option) == kKnown.end())
      return fail(ErrorKind::kInvalid, "unknown log opt '{}' for json-file log driver", option);
    return fail(ErrorKind::kUnsupported,
                "--log-opt {} is not supported yet: leave it out, and the log holds everything "
                "until the container is removed",
                option);
  }
  return {};
}

// Options that Docker has and this engine would have to ignore: it says so instead.
Result<void> check_supported(const WorkloadConfig& config) {
  if (!config.restart_policy.empty() && config.restart_policy != "no") {
    return fail(ErrorKind::kUnsupported,
                "restart policy '{}' is not supported yet: leave --restart out and start the "
                "workload again yourself",
                config.restart_policy);
  }
  TRY(check_log(config.log));
  struct Mode {
    const char* option;
    const std::string& value;
  };
  for (const Mode& mode : {Mode{"--pid", config.pid_mode}, Mode{"--ipc", config.ipc_mode},
                           Mode{"--uts", config.uts_mode}, Mode{"--cgroupns", config.cgroupns_mode},
                           Mode{"--userns", config.userns_mode}}) {
    if (!mode.value.empty() && mode.value != "host" && mode.value != "private" &&
        mode.value != "shareable")
      return fail(ErrorKind::kUnsupported, "{} {} is not supported yet: use host or private",
                  mode.option, mode.value);
  }
  if (config.network_mode.starts_with("container:"))
    return fail(ErrorKind::kUnsupported, "--network {} is not supported yet", config.network_mode);
  for (const network::PortBinding& port : config.ports) {
    if (port.protocol == network::Protocol::kSctp)
      return fail(ErrorKind::kUnsupported, "publishing sctp ports is not supported yet");
  }
  return {};
}

struct SignalName {
  std::string_view name;
  int number;
};

constexpr std::array kSignals = {
    SignalName{"HUP", SIGHUP},   SignalName{"INT", SIGINT},     SignalName{"QUIT", SIGQUIT},
    SignalName{"ILL", SIGILL},   SignalName{"TRAP", SIGTRAP},   SignalName{"ABRT", SIGABRT},
    SignalName{"IOT", SIGIOT},   SignalName{"BUS", SIGBUS},     SignalName{"FPE", SIGFPE},
    SignalName{"KILL", SIGKILL}, SignalName{"USR1", SIGUSR1},   SignalName{"SEGV", SIGSEGV},
    SignalName{"USR2", SIGUSR2}, SignalName{"PIPE", SIGPIPE},   SignalName{"ALRM", SIGALRM},
    SignalName{"TERM", SIGTERM}, SignalName{"STKFLT", 16},      SignalName{"CHLD", SIGCHLD},
    SignalName{"CONT", SIGCONT}, SignalName{"STOP", SIGSTOP},   SignalName{"TSTP", SIGTSTP},
    SignalName{"TTIN", SIGTTIN}, SignalName{"TTOU", SIGTTOU},   SignalName{"URG", SIGURG},
    SignalName{"XCPU", SIGXCPU}, SignalName{"XFSZ", SIGXFSZ},   SignalName{"VTALRM", SIGVTALRM},
    SignalName{"PROF", SIGPROF}, SignalName{"WINCH", SIGWINCH}, SignalName{"IO", SIGIO},
    SignalName{"POLL", SIGPOLL}, SignalName{"PWR", SIGPWR},     SignalName{"SYS", SIGSYS},
};

}  // namespace

void merge_image_config(WorkloadConfig& config, const image::ImageConfig& image) {
  if (!config.entrypoint || config.entrypoint->empty()) {
    if (config.cmd.empty()) config.cmd = image.cmd;
    if (!config.entrypoint) config.entrypoint = image.entrypoint;
  } else if (config.entrypoint->size() == 1 && config.entrypoint->front().empty()) {
    config.entrypoint->clear();  // --entrypoint "" asks for none at all
  }
  for (const std::string& variable : image.env) {
    const auto same_name = [&](const std::string& own) {
      return name_of(own) == name_of(variable);
    };
    if (std::ranges::none_of(config.env, same_name)) config.env.push_back(variable);
  }
  if (config.working_dir.empty()) config.working_dir = image.working_dir;
  if (config.user.empty()) config.user = image.user;
  if (config.stop_signal.empty()) config.stop_signal = image.stop_signal;
  config.labels.insert(image.labels.begin(), image.labels.end());
  for (const std::string& port : image.exposed_ports) {
    if (std::ranges::find(config.exposed_ports, port) == config.exposed_ports.end())
      config.exposed_ports.push_back(port);
  }
  for (const std::string& volume : image.volumes) {
    if (std::ranges::find(config.volumes, volume) == config.volumes.end())
      config.volumes.push_back(volume);
  }
}

unsigned available_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  // It fails on hosts of more than 1024 CPUs, whose limits are no concern of a single workload.
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return std::thread::hardware_concurrency();
  return static_cast<unsigned>(CPU_COUNT(&set));
}

Result<void> validate_config(const WorkloadConfig& config, unsigned cpus) {
  TRY(check_names(config));
  TRY(check_paths(config));
  TRY(check_memory(config));
  TRY(check_cpu(config, cpus));
  TRY(check_pids(config));
  return check_supported(config);
}

Result<int> parse_signal(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) {
    if (number >= 1 && number <= SIGRTMAX) return number;
    return fail(ErrorKind::kInvalid, "Invalid signal: {}", text);
  }
  std::string name(text);
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  std::string_view bare = name;
  if (bare.starts_with("SIG")) bare.remove_prefix(3);
  for (const SignalName& signal : kSignals) {
    if (signal.name == bare) return signal.number;
  }
  // RTMIN+3, RTMAX-1: what systemd images use as their stop signal.
  for (const auto& [prefix, base, sign] :
       {std::tuple("RTMIN", SIGRTMIN, 1), std::tuple("RTMAX", SIGRTMAX, -1)}) {
    if (!bare.starts_with(prefix)) continue;
    std::string_view rest = bare.substr(5);
    if (rest.empty()) return base;
    int offset = 0;
    const auto parsed = std::from_chars(rest.data() + 1, rest.data() + rest.size(), offset);
    const bool whole = parsed.ec == std::errc() && parsed.ptr == rest.data() + rest.size();
    if (whole && rest[0] == (sign > 0 ? '+' : '-') && offset >= 0 && offset <= SIGRTMAX - SIGRTMIN)
      return base + sign * offset;
  }
  return fail(ErrorKind::kInvalid, "Invalid signal: {}", text);
}

}  // namespace berth::engine
