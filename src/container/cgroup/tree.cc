#include "container/cgroup/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace berth::container {
namespace {

// Files of a cgroup are text of one page; cgroup.procs grows with its processes, pids.max being at
// most 4 million.
constexpr std::size_t kMaxRead = 64U << 20;
// Containers in containers nest a handful of levels; the kernel's own default is unlimited.
constexpr int kMaxDepth = 64;
constexpr int kMakeAttempts = 10;

Result<UniqueFd> open_directory(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return fail_errno("cannot open the cgroup {}", path);
  return fd;
}

Result<std::string> read_file(int directory, const char* name, const std::string& path) {
  UniqueFd fd(::openat(directory, name, O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return fail_errno("cannot open {}/{}", path, name);
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t count = ::read(fd.get(), buffer, sizeof buffer);
    if (count < 0) return fail_errno("cannot read {}/{}", path, name);
    if (count == 0 || text.size() > kMaxRead) break;
    text.append(buffer, static_cast<std::size_t>(count));
  }
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

// Calls `visit(name)` for each directory below `directory`.
template <typename Visit>
Result<void> each_child(int directory, const std::string& path, Visit visit) {
  UniqueFd copy(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!copy.valid()) return fail_errno("cannot list {}", path);
  const std::unique_ptr<DIR, int (*)(DIR*)> list(::fdopendir(copy.get()), ::closedir);
  if (!list) return fail_errno("cannot list {}", path);
  (void)copy.release();  // the DIR owns it
  while (const dirent* entry = ::readdir(list.get())) {
    const std::string_view name = entry->d_name;
    if (entry->d_type == DT_DIR && name != "." && name != "..") TRY(visit(entry->d_name));
  }
  return {};
}

void append_pids(const std::string& text, std::vector<pid_t>& pids) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    pid_t pid = 0;
    const auto [next, error] = std::from_chars(at, end, pid);
    if (error == std::errc() && pid > 0) pids.push_back(pid);
    at = next == at ? at + 1 : next;
  }
}

Result<void> collect(int directory, const std::string& path, int depth, std::vector<pid_t>& pids) {
  if (depth > kMaxDepth) return fail(ErrorKind::kExhausted, "{} is nested too deep", path);
  append_pids(TRY(read_file(directory, "cgroup.procs", path)), pids);
  return each_child(directory, path, [&](const char* name) -> Result<void> {
    const UniqueFd child(::openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!child.valid()) return {};  // removed meanwhile
    return collect(child.get(), path + "/" + name, depth + 1, pids);
  });
}

Result<void> remove_below(int parent, const char* name, const std::string& path, int depth) {
  if (::unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
  const int error = errno;
  if (error != EBUSY && error != ENOTEMPTY)
    return Error::from_errno(error, fmt::format("cannot remove the cgroup {}", path));
  const UniqueFd fd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || depth > kMaxDepth)
    return Error::from_errno(error, fmt::format("cannot remove the cgroup {}", path));
  TRY(each_child(fd.get(), path, [&](const char* child) {
    return remove_below(fd.get(), child, path + "/" + child, depth + 1);
  }));
  if (::unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
  return fail_errno("cannot remove the cgroup {}", path).with_kind(ErrorKind::kConflict);
}

// A v1 cpuset is born without CPUs and memory nodes, and none below it can have any before it has:
// cpusets(7). Those that are empty get what the parent has.
Result<void> fill_cpuset(const std::string& path) {
  const std::string parent_path = path.substr(0, path.rfind('/'));
  for (const char* file : {"cpuset.cpus", "cpuset.mems"}) {
    const UniqueFd own = TRY(open_directory(path));
    if (!TRY(read_file(own.get(), file, path)).empty()) continue;
    const UniqueFd parent = TRY(open_directory(parent_path));
    const std::string inherited = TRY(read_file(parent.get(), file, parent_path));
    const UniqueFd fd(::openat(own.get(), file, O_WRONLY | O_CLOEXEC));
    if (!fd.valid() || ::write(fd.get(), inherited.data(), inherited.size()) < 0)
      return fail_errno("cannot write '{}' to {}/{}", inherited, path, file);
  }
  return {};
}

// Makes the directories between the hierarchy and `path`, from the top.
Result<void> make_parents(const std::string& hierarchy, const std::string& path, bool cpuset) {
  for (auto slash = path.find('/', hierarchy.size() + 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    const std::string parent = path.substr(0, slash);
    if (::mkdir(parent.c_str(), 0755) != 0 && errno != EEXIST && errno != ENOENT)
      return fail_errno("cannot make the cgroup {}", parent);
    // Gone again, it is made once more by the caller.
    if (auto filled = cpuset ? fill_cpuset(parent) : Result<void>(); !filled.ok())
      if (filled.error().kind() != ErrorKind::kNotFound) return filled;
  }
  return {};
}

}  // namespace

Result<CgroupDirectory> CgroupDirectory::create(const std::string& hierarchy,
                                                const std::string& relative, bool& made) {
  const std::string path = hierarchy + "/" + relative;
  // Only v1 has the file at the root of its hierarchy.
  const bool cpuset = ::access((hierarchy + "/cpuset.cpus").c_str(), F_OK) == 0;
  if (cpuset) TRY(make_parents(hierarchy, path, true));
  made = ::mkdir(path.c_str(), 0755) == 0;
  // Another engine may take an empty parent away between two steps (remove_empty_cgroups): then
  // make it again.
  for (int attempt = 0; !made && errno == ENOENT && attempt < kMakeAttempts; ++attempt) {
    TRY(make_parents(hierarchy, path, cpuset));
    made = ::mkdir(path.c_str(), 0755) == 0;
  }
  if (!made && errno != EEXIST) return fail_errno("cannot make the cgroup {}", path);
  return CgroupDirectory(path, TRY(open_directory(path)));
}

Result<CgroupDirectory> CgroupDirectory::open(const std::string& path) {
  return CgroupDirectory(path, TRY(open_directory(path)));
}

Result<void> CgroupDirectory::write(const std::string& file, std::string_view value) const {
  const UniqueFd fd(::openat(fd_.get(), file.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid()) return fail_errno("cannot open {}/{}", path_, file);
  if (::write(fd.get(), value.data(), value.size()) < 0)
    return fail_errno("cannot write '{}' to {}/{}", value, path_, file);
  return {};
}

Result<void> CgroupDirectory::write_each(const std::string& file,
                                         const std::vector<std::string>& values) const {
  const UniqueFd fd(::openat(fd_.get(), file.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid()) return fail_errno("cannot open {}/{}", path_, file);
  for (const std::string& value : values)
    if (::write(fd.get(), value.data(), value.size()) < 0)
      return fail_errno("cannot write '{}' to {}/{}", value, path_, file);
  return {};
}

Result<std::string> CgroupDirectory::read(const std::string& file) const {
  return read_file(fd_.get(), file.c_str(), path_);
}

std::optional<std::uint64_t> CgroupDirectory::read_number(const std::string& file) const {
  const auto text = read(file);
  std::uint64_t value = 0;
  if (!text.ok() ||
      std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc())
    return std::nullopt;
  return value;
}

Result<std::vector<pid_t>> CgroupDirectory::processes() const {
  std::vector<pid_t> pids;
  TRY(collect(fd_.get(), path_, 0, pids));
  return pids;
}

Result<bool> CgroupDirectory::has_others(pid_t known) const {
  return std::ranges::any_of(TRY(processes()), [known](pid_t pid) { return pid != known; });
}

Result<void> CgroupDirectory::remove() const {
  return remove_below(AT_FDCWD, path_.c_str(), path_, 0);
}

}  // namespace berth::container
