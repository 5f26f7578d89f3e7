#include "container/resctrl/groups.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "container/resctrl/schemata.h"
#include "sys/file.h"

namespace berth::container {
namespace {

constexpr const char* kMount = "/sys/fs/resctrl";
constexpr long kMagic = 0x7655821;  // RDTGROUP_SUPER_MAGIC: linux/magic.h

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

// One write(2): the kernel takes a file of resctrl whole.
Result<void> write_file(const std::string& path, const std::string& text) {
  const UniqueFd file = TRY(sys::open_file(path, O_WRONLY));
  if (::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size())) return {};
  return fail_errno("cannot write '{}' to {}", text, path);
}

Result<void> make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) == 0) return {};
  const int error = errno;
  if (error == ENOSPC)
    return fail(ErrorKind::kExhausted, "cannot make {}: the processor has no more groups", path);
  return Error::from_errno(error, fmt::format("cannot make {}", path));
}

}  // namespace

Result<std::string> find_resctrl() {
  struct statfs found = {};
  if (::statfs(kMount, &found) != 0 || found.f_type != kMagic)
    return fail(ErrorKind::kUnsupported,
                "linux.intelRdt needs the resctrl file system at {}, where none is mounted",
                kMount);
  return std::string(kMount);
}

RdtGroups::RdtGroups(const IntelRdt& rdt, const std::string& id, const std::string& mount)
    : mount_(mount), clos_(mount) {
  if (rdt.clos_id != "/") clos_ += "/" + (rdt.clos_id.empty() ? id : rdt.clos_id);
  if (rdt.enable_monitoring) own_.push_back(monitoring_ = clos_ + "/mon_groups/" + id);
  if (rdt.clos_id.empty()) own_.push_back(clos_);
}

Result<void> RdtGroups::check(const IntelRdt& rdt) const {
  for (const std::string& directory : own_)
    if (exists(directory))
      return fail(ErrorKind::kConflict,
                  "the resctrl group {} exists already: remove it, or give linux.intelRdt.closID",
                  directory);
  if (rdt.clos_id.empty()) return {};
  const auto lines = schemata_lines(rdt);
  if (!exists(clos_)) {
    if (!lines.empty()) return {};
    return fail(ErrorKind::kNotFound,
                "linux.intelRdt.closID '{}' does not exist below {}, and no schema says how to "
                "make it",
                rdt.clos_id, mount_);
  }
  if (lines.empty()) return {};
  const std::string schemata = TRY(sys::read_file(clos_ + "/schemata"));
  for (const std::string& line : lines)
    if (!agrees(schemata, line))
      return fail(ErrorKind::kConflict,
                  "linux.intelRdt.closID '{}' exists with another schema than '{}'", rdt.clos_id,
                  line);
  return {};
}

Result<void> RdtGroups::create(const IntelRdt& rdt) const {
  if (!exists(clos_)) {
    TRY(make_directory(clos_));
    if (auto written = write_schemata(schemata_lines(rdt)); !written.ok()) {
      (void)::rmdir(clos_.c_str());  // as the schemata are what the class is to be
      return written;
    }
  }
  if (!monitoring_.empty()) TRY(make_directory(monitoring_));
  return {};
}

Result<void> RdtGroups::admit(pid_t pid) const {
  TRY(write_file(clos_ + "/tasks", std::to_string(pid)));
  if (!monitoring_.empty()) TRY(write_file(monitoring_ + "/tasks", std::to_string(pid)));
  return {};
}

Result<void> RdtGroups::write_schemata(const std::vector<std::string>& lines) const {
  for (const std::string& line : lines)
    if (auto written = write_file(clos_ + "/schemata", line + "\n"); !written.ok()) {
      auto reason = sys::read_file(mount_ + "/info/last_cmd_status");
      const std::string text = reason.ok() ? std::move(*reason) : std::string("no reason given");
      return std::move(written).error().context(text.substr(0, text.find('\n')));
    }
  return {};
}

Result<void> remove_rdt_groups(const std::vector<std::string>& directories) {
  for (const std::string& directory : directories)
    if (::rmdir(directory.c_str()) != 0 && errno != ENOENT)
      return fail_errno("cannot remove {}", directory);
  return {};
}

}  // namespace berth::container
