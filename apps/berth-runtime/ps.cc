// berth-runtime ps [--format table|json] <id> [options of ps]: the processes of a container.
#include "berth-runtime/ps.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "berth-runtime/launch.h"
#include "container/cgroup/manager.h"
#include "container/spec/json_writer.h"
#include "sys/file.h"
#include "sys/process.h"

namespace berth::runtime {
namespace {

constexpr std::string_view kBlanks = " \t";

// The word number `index` of a line; empty if there are fewer.
std::string_view word_at(std::string_view line, std::size_t index) {
  std::size_t at = line.find_first_not_of(kBlanks);
  for (; index > 0 && at != std::string_view::npos; --index)
    at = line.find_first_not_of(kBlanks, line.find_first_of(kBlanks, at));
  if (at == std::string_view::npos) return {};
  return line.substr(at, line.find_first_of(kBlanks, at) - at);
}

Result<std::size_t> pid_column(std::string_view title) {
  for (std::size_t i = 0; !word_at(title, i).empty(); ++i)
    if (word_at(title, i) == "PID") return i;
  return fail(ErrorKind::kInvalid, "couldn't find PID field in ps output");
}

// The title, and the lines of those processes that are among `pids`, which are sorted.
Result<void> print_lines(std::string_view output, const std::vector<pid_t>& pids) {
  const auto first = std::min(output.find('\n'), output.size());
  const std::size_t column = TRY(pid_column(output.substr(0, first)));
  fmt::print("{}\n", output.substr(0, first));
  for (std::size_t at = first + 1; at < output.size();) {
    const auto end = std::min(output.find('\n', at), output.size());
    const std::string_view line = output.substr(at, end - at);
    at = end + 1;
    if (line.empty()) continue;
    const std::string_view word = word_at(line, column);
    pid_t pid = 0;
    const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), pid);
    if (error != std::errc() || rest != word.data() + word.size())
      return fail(ErrorKind::kInvalid, "unable to parse pid '{}' in ps output", word);
    if (std::ranges::binary_search(pids, pid)) fmt::print("{}\n", line);
  }
  return {};
}

void print_json(const std::vector<pid_t>& pids) {
  container::JsonWriter out;
  out.begin_array();
  for (const pid_t pid : pids) out.write(pid);
  out.end_array();
  // As runc: no process is no list.
  fmt::print("{}\n", pids.empty() ? "null" : out.take());
}

}  // namespace

Result<std::string> run_ps(std::span<const std::string> options) {
  std::vector<std::string> words = {"ps"};
  words.insert(words.end(), options.begin(), options.end());
  if (options.empty()) words.emplace_back("-ef");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("cannot make a pipe");
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  const auto cloned = TRY(sys::clone_process({}));
  if (cloned.pid == 0) exec_ps(argv.data(), writing.get());
  writing.reset();
  auto output = sys::read_all(reading.get());
  const auto status = TRY(sys::wait_process(cloned.pidfd.get()));
  const std::string text = TRY(std::move(output));
  if (status.shell_code() == kNoPs && text.empty())
    return fail(ErrorKind::kNotFound, "exec: \"ps\": executable file not found in $PATH");
  if (status.shell_code() != 0)
    return fail(ErrorKind::kInvalid, "exit status {}: {}", status.shell_code(), text);
  return text;
}

Result<int> ps(const Globals& globals, Words words) {
  std::string format = "table";
  Flags flags;
  flags.add("format", 'f', &format);
  // What follows the id is for ps.
  auto arguments = TRY(flags.parse(words, true));
  if (arguments.empty()) return fail(ErrorKind::kInvalid, "ps needs the container's id");
  if (format != "table" && format != "json")
    return fail(ErrorKind::kInvalid, "invalid format option '{}': table or json", format);
  const Record record = TRY(Store(globals.root).load(arguments[0]));
  std::vector<pid_t> pids = TRY(TRY(container::adopt_cgroups(record.cgroups))->processes());
  std::ranges::sort(pids);
  if (format == "json") {
    print_json(pids);
    return 0;
  }
  TRY(print_lines(TRY(run_ps(std::span(arguments).subspan(1))), pids));
  return 0;
}

}  // namespace berth::runtime
