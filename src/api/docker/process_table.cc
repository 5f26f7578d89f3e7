#include "api/docker/process_table.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <memory>
#include <string_view>

#include "base/unique_fd.h"

namespace berth::docker {
namespace {

// Enough for a stat line, and for as much of a command line as a table shows.
constexpr std::size_t kMaxProcFile = 4096;

std::string read_proc(pid_t pid, const char* name) {
  const UniqueFd file(::open(fmt::format("/proc/{}/{}", pid, name).c_str(), O_RDONLY | O_CLOEXEC));
  std::string text(kMaxProcFile, '\0');
  const ssize_t count = file.valid() ? ::read(file.get(), text.data(), text.size()) : 0;
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return text;
}

// The pid namespace of a process, as its inode number; 0 if it has ended.
ino_t pid_namespace(pid_t pid) {
  struct stat status{};
  return ::stat(fmt::format("/proc/{}/ns/pid", pid).c_str(), &status) == 0 ? status.st_ino : 0;
}

std::int64_t number(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// The fields of /proc/PID/stat from the third on: the second, a name in parentheses, may contain
// anything. proc(5).
std::vector<std::string_view> stat_fields(std::string_view text) {
  std::vector<std::string_view> fields;
  const std::size_t close = text.rfind(')');
  if (close == std::string_view::npos) return fields;
  text.remove_prefix(close + 1);
  while (!text.empty()) {
    const std::size_t begin = text.find_first_not_of(" \n");
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find_first_of(" \n"), text.size());
    fields.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return fields;
}

std::string clock_text(std::int64_t seconds) {
  return fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::string start_text(std::int64_t ticks_after_boot, std::int64_t ticks_a_second) {
  timespec up{};
  ::clock_gettime(CLOCK_BOOTTIME, &up);
  const std::time_t started = std::time(nullptr) - (up.tv_sec - ticks_after_boot / ticks_a_second);
  std::tm parts{};
  ::localtime_r(&started, &parts);
  return fmt::format("{:02}:{:02}", parts.tm_hour, parts.tm_min);
}

// Device number 136 and up are pseudo terminals; a container has no others.
std::string tty_text(std::int64_t device) {
  if (device == 0) return "?";
  return fmt::format("pts/{}", (device & 0xff) | ((device >> 12) & 0xfff00));
}

std::string command_text(pid_t pid, std::string_view stat) {
  std::string command = read_proc(pid, "cmdline");
  while (!command.empty() && command.back() == '\0') command.pop_back();
  std::ranges::replace(command, '\0', ' ');
  if (!command.empty()) return command;
  const std::size_t open = stat.find('(');
  const std::size_t close = stat.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return {};
  return fmt::format("[{}]", stat.substr(open + 1, close - open - 1));
}

// Empty if the process has ended meanwhile.
ProcessRow row_of(pid_t pid) {
  const std::string stat = read_proc(pid, "stat");
  const std::vector<std::string_view> fields = stat_fields(stat);
  constexpr std::size_t kPpid = 1, kTty = 4, kUserTime = 11, kSystemTime = 12, kStart = 19;
  struct stat owner{};
  if (fields.size() <= kStart || ::stat(fmt::format("/proc/{}", pid).c_str(), &owner) != 0)
    return {};
  const std::int64_t ticks = std::max(::sysconf(_SC_CLK_TCK), 1L);
  const std::int64_t used = (number(fields[kUserTime]) + number(fields[kSystemTime])) / ticks;
  return {std::to_string(owner.st_uid),
          std::to_string(pid),
          std::string(fields[kPpid]),
          "0",
          start_text(number(fields[kStart]), ticks),
          tty_text(number(fields[kTty])),
          clock_text(used),
          command_text(pid, stat)};
}

}  // namespace

const std::vector<std::string> kProcessTitles = {"UID",   "PID", "PPID", "C",
                                                 "STIME", "TTY", "TIME", "CMD"};

Result<std::vector<ProcessRow>> processes_of(pid_t init) {
  const ino_t wanted = pid_namespace(init);
  if (wanted == 0) return fail(ErrorKind::kNotFound, "process {} has ended", init);
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(::opendir("/proc"), ::closedir);
  if (!proc) return fail_errno("open /proc");
  std::vector<ProcessRow> rows;
  while (const dirent* entry = ::readdir(proc.get())) {
    const auto pid = static_cast<pid_t>(number(entry->d_name));
    if (pid <= 0 || pid_namespace(pid) != wanted) continue;
    if (ProcessRow row = row_of(pid); !row.empty()) rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace berth::docker
