#include "image/snapshot/thin_pool.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <thread>

#include "base/log.h"
#include "base/scope_exit.h"
#include "sys/dir.h"
#include "sys/file.h"
#include "sys/loop_device.h"
#include "sys/premade_mount.h"

namespace berth::image {
namespace {

constexpr const char* kBaseName = "base";
constexpr const char* kNewName = "new";
/// Of the pool, in sectors: 64 KiB, which Docker has as well. A write to a shared one copies it.
constexpr int kBlockSectors = 128;
/// The pool has 24 bits for a device's number.
constexpr std::uint64_t kMaxNumber = (1U << 24) - 1;
/// A device is used for a moment after its last mount has gone.
constexpr int kPatience = 50;
constexpr std::chrono::milliseconds kPause{20};

template <typename Number>
Result<Number> parse_number(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc()) return number;
  return fail(ErrorKind::kCorrupt, "'{}' is no number", text.substr(0, 20));
}

Result<UniqueFd> open_sized(int dirfd, const char* name, std::uint64_t bytes) {
  UniqueFd file = TRY(sys::open_at(dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  struct stat st{};
  if (::fstat(file.get(), &st) != 0) return fail_errno("stat {}", name);
  // One that is there keeps its size, whatever is configured by now.
  if (st.st_size == 0 && ::ftruncate(file.get(), static_cast<off_t>(bytes)) != 0)
    return fail_errno("set the size of {}", name);
  TRY(sys::sync(file.get()));
  return file;
}

/// A file system of a few written blocks, whose size is said as it limits what a link can hold, as
/// the pool's are zeros until they are written to.
Result<void> run_mkfs(const std::string& device) {
  std::string words[] = {"mkfs.ext4", "-q",   "-F",
                         "-b",        "4096", "-m",
                         "0",         "-E",   "nodiscard,lazy_itable_init=1,lazy_journal_init=1",
                         device};
  char* argv[std::size(words) + 1] = {};
  for (std::size_t i = 0; i < std::size(words); ++i) argv[i] = words[i].data();
  std::string path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  char* environment[] = {path.data(), nullptr};
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, argv[0], nullptr, nullptr, argv, environment);
  if (error == ENOENT) return fail(ErrorKind::kUnsupported, "mkfs.ext4 is not installed");
  if (error != 0) return Error::from_errno(error, "start mkfs.ext4");
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    // Who ignores the ends of its children is not told of them: whether it can be mounted tells.
    if (errno == ECHILD) return {};
    if (errno != EINTR) return fail_errno("wait for mkfs.ext4");
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
    return fail(ErrorKind::kUnsupported, "mkfs.ext4 is not installed");
  if (status != 0) return fail(ErrorKind::kInternal, "mkfs.ext4 {} failed ({})", device, status);
  return {};
}

}  // namespace

Result<std::unique_ptr<ThinPool>> ThinPool::open(const std::string& path,
                                                 const ThinPoolOptions& options) {
  TRY(sys::make_dirs(path, 0700));
  std::unique_ptr<ThinPool> pool(new ThinPool(TRY(sys::DeviceMapper::open()), path, options));
  TRY(pool->start().context(path));
  return pool;
}

ThinPool::~ThinPool() {
  for (const Number number : std::set<Number>(active_)) release(number);
  if (!options_.existing.empty()) return;
  if (const auto removed = mapper_.remove(name_); !removed.ok())
    log::warning("{}", removed.error().message());
}

Result<void> ThinPool::start() {
  struct stat st{};
  if (::stat(path_.c_str(), &st) != 0) return fail_errno("stat");
  prefix_ = fmt::format("berth-{:x}-{:x}", st.st_dev, st.st_ino);
  name_ = options_.existing.empty() ? prefix_ : options_.existing;
  // One that an engine before this left, with devices that containers use, goes on.
  if (options_.existing.empty() && !mapper_.keep(name_).ok()) TRY(create_pool());
  const auto device = TRY(mapper_.find(name_));
  if (!device) return fail(ErrorKind::kNotFound, "there is no thin pool /dev/mapper/{}", name_);
  pool_number_ = device->number();
  return make_base();
}

Result<void> ThinPool::create_pool() {
  const UniqueFd dir = TRY(sys::open_dir(path_));
  const UniqueFd data = TRY(open_sized(dir.get(), "data", options_.data));
  const UniqueFd metadata = TRY(open_sized(dir.get(), "metadata", options_.metadata));
  TRY(sys::sync(dir.get()));
  struct stat st{};
  if (::fstat(data.get(), &st) != 0) return fail_errno("stat data");
  const auto data_loop = TRY(sys::attach_loop(data.get(), false));
  const auto metadata_loop = TRY(sys::attach_loop(metadata.get(), false));
  auto created = mapper_.create(
      name_, {.type = "thin-pool",
              .bytes = static_cast<std::uint64_t>(st.st_size),
              .parameters = fmt::format("{} {} {} 0 1 error_if_no_space", metadata_loop.path,
                                        data_loop.path, kBlockSectors)});
  if (created.ok()) return {};
  // EINVAL: no such kind of device.
  if (created.error().os_errno() == EINVAL)
    return std::move(created).error().with_kind(ErrorKind::kUnsupported);
  return std::move(created).error();
}

/// The first word of its status.
Result<std::uint64_t> ThinPool::transaction_id() const {
  const sys::MappedTable pool = TRY(mapper_.status(name_));
  if (pool.type != "thin-pool")
    return fail(ErrorKind::kInvalid, "/dev/mapper/{} is no thin pool, but '{}'", name_, pool.type);
  const std::string& status = pool.parameters;
  return parse_number<std::uint64_t>(status.substr(0, status.find(' ')))
      .context("the thin pool's transaction id");
}

/// Others' devices could be taken for ours.
Result<void> ThinPool::refuse_unless_unused() const {
  // TRANSACTION USED/TOTAL (metadata) USED/TOTAL (data) ...
  const std::string status = TRY(mapper_.status(name_)).parameters;
  const auto metadata = std::min(status.find(' '), status.size());
  const auto data = status.find(' ', std::min(metadata + 1, status.size()));
  if (data != std::string::npos && std::string_view(status).substr(data + 1).starts_with("0/"))
    return {};
  return fail(ErrorKind::kConflict,
              "/dev/mapper/{} has data of somebody else: give a thin pool that is unused", name_);
}

Result<ThinPool::Number> ThinPool::take_number() {
  const std::lock_guard lock(mutex_);
  const std::uint64_t last = TRY(transaction_id());
  if (last >= kMaxNumber)
    return fail(ErrorKind::kExhausted, "the thin pool has had {} devices", kMaxNumber);
  TRY(mapper_.message(name_, fmt::format("set_transaction_id {} {}", last, last + 1)));
  return static_cast<Number>(last + 1);
}

Result<void> ThinPool::make_base() {
  const UniqueFd dir = TRY(sys::open_dir(path_));
  if (const auto known = sys::read_file_at(dir.get(), kBaseName); known.ok())
    return read_base(*known);
  if (const auto half = sys::read_file_at(dir.get(), kNewName); half.ok()) {
    TRY(read_base(*half));
    TRY(erase(base_));
  } else {
    TRY(refuse_unless_unused());
  }
  const Number number = TRY(take_number());
  const std::string text =
      fmt::format("{} {}", number, options_.device / sys::kSector * sys::kSector);
  TRY(sys::write_file_atomic(dir.get(), kNewName, text));
  TRY(read_base(text));
  TRY(mapper_.message(name_, fmt::format("create_thin {}", number)));
  TRY(make_file_system(number));
  if (::renameat(dir.get(), kNewName, dir.get(), kBaseName) != 0) return fail_errno("rename");
  return sys::sync(dir.get());
}

/// "NUMBER BYTES".
Result<void> ThinPool::read_base(const std::string& text) {
  const auto space = std::min(text.find(' '), text.size());
  base_ = TRY(parse_number<Number>(std::string_view(text).substr(0, space)));
  device_bytes_ = TRY(
      parse_number<std::uint64_t>(std::string_view(text).substr(std::min(space + 1, text.size()))));
  return {};
}

Result<void> ThinPool::make_file_system(Number number) {
  const std::string device = TRY(activate(number));
  const ScopeExit undo([&] { release(number); });
  TRY(run_mkfs(device));
  {
    const UniqueFd mount = TRY(sys::mount_premade({"ext4", device, {}}));
    if (::unlinkat(mount.get(), "lost+found", AT_REMOVEDIR) != 0)
      return fail_errno("remove lost+found");
  }
  return flush(number);
}

Result<void> ThinPool::make_snapshot(Number number, Number origin) {
  const std::lock_guard lock(mutex_);
  const std::string create = fmt::format("create_snap {} {}", number, origin);
  if (!TRY(mapper_.find(name_of(origin)))) return mapper_.message(name_, create);
  TRY(mapper_.suspend(name_of(origin)));
  auto made = mapper_.message(name_, create);
  TRY(mapper_.resume(name_of(origin)));
  return made;
}

Result<void> ThinPool::erase(Number number) {
  const std::lock_guard lock(mutex_);
  active_.erase(number);
  TRY(mapper_.remove(name_of(number)));
  for (int i = 0;; ++i) {
    // While it has a name the pool would only say that it is busy, which it also is for a moment
    // afterwards.
    if (!TRY(mapper_.find(name_of(number)))) {
      auto erased = mapper_.message(name_, fmt::format("delete {}", number));
      if (erased.ok() || erased.error().os_errno() == ENODATA) return {};
      if (erased.error().os_errno() != EBUSY) return erased;
    }
    if (i == kPatience)
      return fail(ErrorKind::kConflict, "device {} of the thin pool is in use", number);
    std::this_thread::sleep_for(kPause);
  }
}

Result<std::string> ThinPool::activate(Number number) {
  const std::lock_guard lock(mutex_);
  return activate_locked(number);
}

Result<std::string> ThinPool::activate_locked(Number number) {
  const std::string name = name_of(number);
  // One that is on its way out stays, if it is not gone by now.
  if (const auto kept = mapper_.keep(name); !kept.ok()) {
    if (kept.error().kind() != ErrorKind::kNotFound) return kept.error();
    TRY(mapper_.create(name, {.type = "thin",
                              .bytes = device_bytes_,
                              .parameters = fmt::format("{} {}", pool_number_, number)}));
  }
  active_.insert(number);
  const auto device = TRY(mapper_.find(name));
  if (!device) return fail(ErrorKind::kInternal, "device {} went away", name);
  return device->path();
}

void ThinPool::release(Number number) {
  const std::lock_guard lock(mutex_);
  active_.erase(number);
  if (const auto removed = mapper_.remove(name_of(number)); !removed.ok())
    log::warning("{}", removed.error().message());
}

Result<void> ThinPool::flush(Number number) {
  const std::lock_guard lock(mutex_);
  const std::string name = name_of(number);
  if (!TRY(mapper_.find(name))) return {};
  // Suspending is more than syncfs(2): the file system is as if it had been unmounted.
  TRY(mapper_.suspend(name));
  return mapper_.resume(name);
}

std::string ThinPool::name_of(Number number) const {
  return fmt::format("{}-{}", prefix_, number);
}

}  // namespace berth::image
