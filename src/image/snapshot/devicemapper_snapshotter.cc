#include "image/snapshot/devicemapper_snapshotter.h"

#include <charconv>
#include <unordered_set>

#include "image/changes/tree_diff.h"
#include "image/snapshot/stored_snapshotter.h"
#include "sys/dir.h"
#include "sys/file.h"
#include "sys/premade_mount.h"

namespace berth::image {
namespace {

using Number = ThinPool::Number;

constexpr const char* kDeviceName = "device";
constexpr std::size_t kMaxDevice = 64;

struct Device {
  Number number = 0;
  Number origin = 0;
};

/// "NUMBER ORIGIN".
Result<Device> read_device(int dirfd) {
  const std::string text = TRY(sys::read_file_at(dirfd, kDeviceName, kMaxDevice));
  Device device;
  const char* const end = text.data() + text.size();
  const auto number = std::from_chars(text.data(), end, device.number);
  if (number.ec == std::errc() && number.ptr != end &&
      std::from_chars(number.ptr + 1, end, device.origin).ec == std::errc())
    return device;
  return fail(ErrorKind::kCorrupt, "'{}' does not say which device it is", text);
}

/// Counts what a tree has otherwise than its base, each file once, and its root.
class Counting final : public ChangeVisitor {
 public:
  Result<void> present(ChangeKind, const std::string& path, const TreeNode& node) override {
    if (path.empty() ||
        (node.st.st_nlink > 1 && !node.is_directory() && !seen_.insert(node.st.st_ino).second))
      return {};
    constexpr std::uint64_t kStatBlock = 512;  // the unit of st_blocks, stat(2)
    ++usage.inodes;
    usage.bytes += static_cast<std::uint64_t>(node.st.st_blocks) * kStatBlock;
    return {};
  }
  Result<void> deleted(const std::string&) override { return {}; }
  Result<void> opaque(const std::string&) override { return {}; }

  SnapshotUsage usage{.bytes = 0, .inodes = 1};

 private:
  std::unordered_set<ino_t> seen_;
};

class DevicemapperSnapshotter final : public StoredSnapshotter {
 public:
  DevicemapperSnapshotter(std::unique_ptr<ThinPool> pool, std::string root)
      : pool_(std::move(pool)), root_(std::move(root)) {}

  static Result<std::unique_ptr<Snapshotter>> open(std::unique_ptr<ThinPool> pool,
                                                   const std::string& root, Database& database) {
    auto self = std::make_unique<DevicemapperSnapshotter>(std::move(pool), root);
    SnapshotStore::Actions actions{
        .build = [raw = self.get()](
                     int dirfd,
                     const SnapshotStore::Chain& parents) { return raw->build(dirfd, parents); },
        .measure = [raw = self.get()](int dirfd) { return raw->measure(dirfd); },
        .sync_names = true,
        .clear = [raw = self.get()](int dirfd) { return raw->clear(dirfd); },
        .part = kDeviceName};
    self->store_ = TRY(SnapshotStore::open(root, database, std::move(actions)));
    return self;
  }

  std::string_view name() const override { return "devicemapper"; }

  Result<void> commit(std::string_view name, std::string_view key) override {
    const auto located = TRY(store_->locate(key));
    const auto device = device_of(located.chain.front());
    if (device.ok()) TRY(pool_->flush(device->number));
    TRY(store_->commit(name, key));
    if (device.ok()) pool_->release(device->number);
    return {};
  }

 private:
  Result<void> build(int dirfd, const SnapshotStore::Chain& parents) const {
    const Device device{
        .number = TRY(pool_->take_number()),
        .origin = parents.empty() ? pool_->base() : TRY(device_of(parents.front())).number};
    TRY(sys::write_file_atomic(dirfd, kDeviceName,
                               fmt::format("{} {}", device.number, device.origin)));
    TRY(sys::sync(TRY(sys::open_dir(root_)).get()));
    return pool_->make_snapshot(device.number, device.origin);
  }

  /// Asked of one that is active, which may be mounted elsewhere to be written to.
  Result<SnapshotUsage> measure(int dirfd) const {
    const Device device = TRY(read_device(dirfd));
    const UniqueFd tree = TRY(open_device(device.number, SnapshotKind::kActive));
    const UniqueFd base = TRY(open_device(device.origin, SnapshotKind::kCommitted));
    Counting counting;
    TRY(diff_trees(tree.get(), base.get(), {}, counting));
    return counting.usage;
  }

  Result<void> clear(int dirfd) const {
    const auto device = read_device(dirfd);
    // Without it no device was made.
    if (!device.ok() && device.error().os_errno() == ENOENT) return {};
    if (!device.ok()) return device.error();
    return pool_->erase(device->number);
  }

  Result<Device> device_of(std::int64_t id) const {
    return read_device(TRY(sys::open_dir(fmt::format("{}/{}", root_, id))).get());
  }

  Result<sys::MountSpec> mount_of(Number number, SnapshotKind kind) const {
    sys::MountSpec spec{"ext4", TRY(pool_->activate(number)), {"discard"}};
    if (kind == SnapshotKind::kCommitted) spec.options = {"ro"};
    return spec;
  }

  Result<UniqueFd> open_device(Number number, SnapshotKind kind) const {
    const UniqueFd mount = TRY(sys::mount_premade(TRY(mount_of(number, kind))));
    return sys::open_dir_at(mount.get(), ".");
  }

  Result<Mounts> mounts_of(const SnapshotStore::Chain& chain, SnapshotKind kind) const override {
    const Device device = TRY(device_of(chain.front()));
    return Mounts{TRY(mount_of(device.number, kind))};
  }

  std::unique_ptr<ThinPool> pool_;
  std::string root_;
};

}  // namespace

Result<std::unique_ptr<Snapshotter>> open_devicemapper_snapshotter(const std::string& root,
                                                                   Database& database,
                                                                   const ThinPoolOptions& options) {
  TRY(sys::make_dirs(root, 0700));
  auto pool = ThinPool::open(root.substr(0, root.rfind('/')) + "/pool", options);
  if (!pool.ok() && pool.error().kind() == ErrorKind::kUnsupported) {
    return std::move(pool).error().context(
        "snapshots cannot be devices of a thin pool (use the overlay2 storage driver)");
  }
  return DevicemapperSnapshotter::open(TRY(std::move(pool)), root, database);
}

}  // namespace berth::image
