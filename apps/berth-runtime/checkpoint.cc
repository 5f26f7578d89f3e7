// berth-runtime checkpoint [flags] <id>: writes a running container down, and ends it.
#include "container/checkpoint/checkpoint.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <charconv>

#include "berth-runtime/criu.h"
#include "berth-runtime/launch.h"
#include "berth-runtime/remains.h"
#include "container/cgroup/ending.h"
#include "sys/dir.h"
#include "sys/process.h"

namespace berth::runtime {
namespace {

constexpr mode_t kDirectoryMode = 0700;  // what the memory of a container is kept in

struct CheckpointFlags {
  CriuFlags criu;
  std::string parent_path;
  std::string page_server;
  std::string status_fd;
  bool leave_running = false;
  bool tcp_skip_in_flight = false;
  bool link_remap = false;
  bool pre_dump = false;
};

void add_flags(Flags& flags, CheckpointFlags& values) {
  flags.add("parent-path", 0, &values.parent_path);
  flags.add("leave-running", 0, &values.leave_running);
  flags.add("tcp-skip-in-flight", 0, &values.tcp_skip_in_flight);
  flags.add("link-remap", 0, &values.link_remap);
  flags.add("status-fd", 0, &values.status_fd);
  flags.add("page-server", 0, &values.page_server);
  flags.add("pre-dump", 0, &values.pre_dump);
}

// Open, and for writing.
Result<int> parse_status_fd(const std::string& text) {
  if (text.empty()) return -1;
  int fd = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), fd);
  const bool number = error == std::errc() && end == text.data() + text.size() && fd >= 0;
  const int flags = number ? ::fcntl(fd, F_GETFL) : -1;
  if (flags < 0)
    return fail(ErrorKind::kInvalid, "--status-fd must be an open descriptor, not '{}'", text);
  if ((flags & O_ACCMODE) == O_RDONLY)
    return fail(ErrorKind::kInvalid, "--status-fd {} is not open for writing", text);
  return fd;
}

// criu would say no more than that it cannot open something.
Result<void> check_parent(const std::string& images, const std::string& parent) {
  if (parent.empty()) return {};
  if (parent.starts_with('/'))
    return fail(ErrorKind::kInvalid, "--parent-path must be relative to --image-path, not '{}'",
                parent);
  const std::string path = images + "/" + parent;
  struct stat found = {};
  if (::stat(path.c_str(), &found) != 0) return fail_errno("cannot find --parent-path {}", path);
  if (!S_ISDIR(found.st_mode))
    return fail(ErrorKind::kInvalid, "--parent-path {} is not a directory", path);
  return {};
}

Result<container::CheckpointOptions> options_of(const CheckpointFlags& values) {
  container::CheckpointOptions options;
  TRY(take_criu_flags(values.criu, "checkpoint", options));
  options.leave_running = values.leave_running;
  options.tcp_skip_in_flight = values.tcp_skip_in_flight;
  options.link_remap = values.link_remap;
  options.pre_dump = values.pre_dump;
  if (!values.page_server.empty())
    options.page_server = TRY(container::parse_page_server(values.page_server));
  options.status_fd = TRY(parse_status_fd(values.status_fd));
  options.parent_path = values.parent_path;
  return options;
}

Result<void> make_directories(const container::CheckpointOptions& options) {
  TRY(sys::make_dirs(options.image_path, kDirectoryMode));
  if (!options.work_path.empty()) TRY(sys::make_dirs(options.work_path, kDirectoryMode));
  return check_parent(options.image_path, options.parent_path);
}

// Opened first, compared then: from here on the descriptor means the container's first process.
Result<UniqueFd> open_running(const Store& store, const Record& record) {
  auto init = sys::open_pidfd(record.pid);
  const Status status = store.status(record);
  if (status == Status::kRunning || status == Status::kPaused) return TRY(std::move(init));
  return fail(ErrorKind::kConflict, "container {} cannot be checkpointed: it is {}, not running",
              record.id, to_string(status));
}

}  // namespace

Result<int> checkpoint(const Globals& globals, Words words) {
  CheckpointFlags values;
  Flags flags;
  add_criu_flags(flags, values.criu);
  add_flags(flags, values);
  const std::string id = TRY(single_id(TRY(flags.parse(words)), "checkpoint"));
  const container::CheckpointOptions options = TRY(options_of(values));
  const Store store(globals.root);
  const Record record = TRY(store.load(id));
  const UniqueFd init = TRY(open_running(store, record));
  TRY(make_directories(options));
  TRY(container::checkpoint(TRY(store.spec(id)),
                            {.pid = record.pid,
                             .bundle = record.bundle,
                             .rootfs = record.rootfs,
                             .cgroups = record.cgroups,
                             .streams = record.streams},
                            options)
          .context("checkpoint failed"));
  if (options.leave_running || options.pre_dump) return 0;
  TRY(container::wait_until_ended(init.get(), container::kill_deadline()));
  TRY(remove_remains(store, record));
  return 0;
}

}  // namespace berth::runtime
