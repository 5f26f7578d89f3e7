#include "holder/records.h"

#include <fcntl.h>

#include <cstdio>

#include "sys/file.h"

namespace berth::holder {

Result<void> write_started_record(const std::string& run_dir, const StartedRecord& record) {
  const std::string path = fmt::format("{}/{}", run_dir, kStartedName);
  const std::string temporary = path + ".new";
  const UniqueFd file = TRY(sys::open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  TRY(sys::write_all(file.get(), started_record_to_json(record)));
  if (::rename(temporary.c_str(), path.c_str()) != 0) return fail_errno("rename to {}", path);
  return {};
}

Result<std::string> process_start_time(pid_t pid) {
  const std::string path = fmt::format("/proc/{}/stat", pid);
  const std::string stat = TRY(sys::read_file(path));
  // Counted behind the command, which may itself hold blanks and brackets.
  std::size_t at = stat.rfind(')');
  for (int field = 2; field < 22 && at != std::string::npos; ++field) at = stat.find(' ', at + 1);
  if (at == std::string::npos) return fail(ErrorKind::kCorrupt, "{} is short: '{}'", path, stat);
  return stat.substr(at + 1, stat.find(' ', at + 1) - at - 1);
}

}  // namespace berth::holder
