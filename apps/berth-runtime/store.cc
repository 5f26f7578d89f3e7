#include "berth-runtime/store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "berth-runtime/verbs.h"
#include "container/cgroup/freezer.h"
#include "container/runtime/container.h"
#include "container/spec/json_reader.h"
#include "container/spec/json_writer.h"
#include "sys/file.h"
#include "sys/socket.h"

namespace berth::runtime {
namespace {

constexpr std::string_view kStateFile = "state.json";
constexpr std::string_view kSpecFile = "config.json";
constexpr std::size_t kMaxStateBytes = 1U << 20;  // a record is below 2 KiB

std::string to_json(const Record& record) {
  container::JsonWriter out;
  const auto text = [&](std::string_view name, std::string_view value) {
    out.key(name);
    out.write(value);
  };
  out.begin_object();
  text("id", record.id);
  text("bundle", record.bundle);
  text("rootfs", record.rootfs);
  text("program", record.program);
  text("created", record.created);
  out.key("pid");
  out.write(record.pid);
  out.key("startTime");
  out.write(record.start_time);
  const auto list = [&](std::string_view name, const std::vector<std::string>& paths) {
    out.key(name);
    out.begin_array();
    for (const auto& path : paths) out.write(std::string_view(path));
    out.end_array();
  };
  list("cgroups", record.cgroups);
  if (!record.unit.empty()) text("unit", record.unit);
  if (!record.streams.empty()) list("streams", record.streams);
  if (!record.rdt_groups.empty()) list("rdtGroups", record.rdt_groups);
  if (record.root.mount != 0) {
    out.key("root");
    out.begin_array();
    for (const std::uint64_t number :
         {record.root.mount, record.root.unique, record.root.mount_namespace})
      out.write(number);
    out.end_array();
  }
  if (record.owns_cgroups) {
    out.key("ownsCgroups");
    out.write(true);
  }
  // The last byte but one: complete() changes it in place.
  out.key("creating");
  out.write(record.creating ? 1 : 0);
  out.end_object();
  return out.take();
}

Result<Record> parse_record(std::string_view json) {
  container::JsonReader reader(json);
  Record record;
  std::string key;
  reader.begin_object();
  while (reader.next_key(key)) {
    if (key == "id") {
      reader.read(record.id);
    } else if (key == "bundle") {
      reader.read(record.bundle);
    } else if (key == "rootfs") {
      reader.read(record.rootfs);
    } else if (key == "program") {
      reader.read(record.program);
    } else if (key == "created") {
      reader.read(record.created);
    } else if (key == "pid") {
      std::int64_t pid = 0;
      reader.read_int(pid, 0, INT32_MAX);
      record.pid = static_cast<pid_t>(pid);
    } else if (key == "startTime") {
      reader.read_uint(record.start_time, UINT64_MAX);
    } else if (key == "cgroups") {
      reader.begin_array();
      while (reader.next_item()) reader.read(record.cgroups.emplace_back());
    } else if (key == "unit") {
      reader.read(record.unit);
    } else if (key == "streams") {
      reader.begin_array();
      while (reader.next_item()) reader.read(record.streams.emplace_back());
    } else if (key == "root") {
      std::uint64_t* const numbers[] = {&record.root.mount, &record.root.unique,
                                        &record.root.mount_namespace};
      reader.begin_array();
      for (std::size_t i = 0; reader.next_item(); ++i)
        if (i < std::size(numbers))
          reader.read_uint(*numbers[i], UINT64_MAX);
        else
          reader.skip();
    } else if (key == "ownsCgroups") {
      reader.read(record.owns_cgroups);
    } else if (key == "rdtGroups") {
      reader.begin_array();
      while (reader.next_item()) reader.read(record.rdt_groups.emplace_back());
    } else if (key == "creating") {
      std::int64_t creating = 0;
      reader.read_int(creating, 0, 1);
      record.creating = creating != 0;
    } else {
      reader.skip();
    }
  }
  reader.finish();
  if (!reader.ok()) return reader.error().with_kind(ErrorKind::kCorrupt);
  return record;
}

// The last directories of the root may be missing: /run is empty after a boot.
Result<void> make_directories(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  const auto slash = path.rfind('/');
  if (errno != ENOENT || slash == 0 || slash == std::string::npos)
    return fail_errno("cannot make {}", path);
  TRY(make_directories(path.substr(0, slash)));
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return fail_errno("cannot make {}", path);
}

}  // namespace

std::string default_root() {
  const char* own = ::getenv("XDG_RUNTIME_DIR");
  return ::geteuid() != 0 && own && *own ? fmt::format("{}/berth-runtime", own)
                                         : "/run/berth-runtime";
}

std::string_view to_string(Status status) {
  switch (status) {
    case Status::kCreating:
      return "creating";
    case Status::kCreated:
      return "created";
    case Status::kRunning:
      return "running";
    case Status::kPaused:
      return "paused";
    case Status::kStopped:
      return "stopped";
  }
  return "unknown";
}

Result<void> Store::reserve(const std::string& id) const {
  const std::string path = directory(id);
  if (::mkdir(path.c_str(), 0700) == 0) return {};
  if (errno == ENOENT) {
    TRY(make_directories(root_));
    if (::mkdir(path.c_str(), 0700) == 0) return {};
  }
  if (errno == EEXIST)
    return fail(ErrorKind::kConflict, "container with given ID already exists: {}", id);
  return fail_errno("cannot make {}", path);
}

Result<void> Store::save(const Record& record) const {
  const std::string name = fmt::format("{}/{}", directory(record.id), kStateFile);
  const std::string temporary = name + ".new";
  {
    const UniqueFd file = TRY(sys::open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600));
    TRY(sys::write_all(file.get(), to_json(record)).context(temporary));
  }
  if (::rename(temporary.c_str(), name.c_str()) != 0)
    return fail_errno("cannot rename {}", temporary);
  return {};
}

Result<void> Store::complete(Record& record) const {
  const std::string name = fmt::format("{}/{}", directory(record.id), kStateFile);
  const auto at = static_cast<off_t>(to_json(record).size() - sizeof "1}" + 1);
  const UniqueFd file = TRY(sys::open_file(name, O_WRONLY));
  if (::pwrite(file.get(), "0", 1, at) != 1) return fail_errno("cannot write {}", name);
  record.creating = false;
  return {};
}

Result<Record> Store::load(const std::string& id) const {
  TRY(container::check_id(id));
  auto text = sys::read_file(fmt::format("{}/{}", directory(id), kStateFile), kMaxStateBytes);
  if (!text.ok() && text.error().kind() == ErrorKind::kNotFound)
    return fail(ErrorKind::kNotFound, "container does not exist: {}", id);
  const std::string json = TRY(std::move(text));
  Record record = TRY(parse_record(json).context(fmt::format("the record of {}", id)));
  if (record.id != id)
    return fail(ErrorKind::kCorrupt, "the record of {} is that of '{}'", id, record.id);
  return record;
}

bool Store::exists(const std::string& id) const {
  return ::access(directory(id).c_str(), F_OK) == 0;
}

Status Store::status(const Record& record) const {
  if (record.pid == 0) return Status::kCreating;
  // The number may belong to another process by now; the time it started at does not.
  if (start_time_of(record.pid) != record.start_time) return Status::kStopped;
  if (record.creating) return Status::kCreating;
  if (container::is_frozen(record.cgroups)) return Status::kPaused;
  return ::access(socket_path(record.id).c_str(), F_OK) == 0 ? Status::kCreated : Status::kRunning;
}

Result<void> Store::keep_spec(const std::string& id, std::string_view json) const {
  const std::string name = fmt::format("{}/{}", directory(id), kSpecFile);
  const UniqueFd file = TRY(sys::open_file(name, O_WRONLY | O_CREAT | O_EXCL, 0600));
  return sys::write_all(file.get(), json).context(name);
}

Result<container::Spec> Store::spec(const std::string& id) const {
  const std::string name = fmt::format("{}/{}", directory(id), kSpecFile);
  return container::parse_spec(TRY(sys::read_file(name, container::kMaxSpecBytes))).context(name);
}

Result<void> Store::forget(const std::string& id) const {
  const std::string path = directory(id);
  for (const std::string& name :
       {fmt::format("{}/{}", path, kStateFile), fmt::format("{}/{}.new", path, kStateFile),
        fmt::format("{}/{}", path, kSpecFile), socket_path(id)})
    if (::unlink(name.c_str()) != 0 && errno != ENOENT) return fail_errno("cannot remove {}", name);
  if (::rmdir(path.c_str()) != 0 && errno != ENOENT) return fail_errno("cannot remove {}", path);
  return {};
}

Result<UniqueFd> Store::listen_for_start(const std::string& id) const {
  return sys::listen_seqpacket(socket_path(id));
}

Result<UniqueFd> Store::connect_to_start(const std::string& id) const {
  return sys::connect_seqpacket(socket_path(id));
}

void Store::mark_started(const std::string& id) const {
  (void)::unlink(socket_path(id).c_str());
}

std::optional<std::uint64_t> start_time_of(pid_t pid) {
  const auto text = sys::read_file(fmt::format("/proc/{}/stat", pid));
  if (!text.ok()) return std::nullopt;
  // The name, in parentheses, may hold anything: fields are counted after the last one. The state
  // is field 3.
  auto at = text->rfind(')');
  if (at == std::string::npos || at + 2 >= text->size()) return std::nullopt;
  at += 2;
  if ((*text)[at] == 'Z' || (*text)[at] == 'X') return std::nullopt;
  constexpr int kFieldsToSkip = 22 - 3;
  for (int i = 0; i < kFieldsToSkip; ++i) {
    at = text->find(' ', at);
    if (at == std::string::npos) return std::nullopt;
    ++at;
  }
  return std::strtoull(text->c_str() + at, nullptr, 10);
}

}  // namespace berth::runtime
