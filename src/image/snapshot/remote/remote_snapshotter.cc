#include "image/snapshot/remote/remote_snapshotter.h"

#include <unistd.h>

#include <cerrno>
#include <map>
#include <mutex>
#include <optional>

#include "base/log.h"
#include "base/strong_id.h"
#include "image/archive/decompress.h"
#include "image/snapshot/stored_snapshotter.h"
#include "sys/dir.h"
#include "sys/file.h"

namespace berth::image {
namespace {

constexpr const char* kLayerName = "layer";
constexpr std::size_t kIdLength = 64;

/// A layer, as the plugin knows it.
struct Layer {
  std::string id;
  std::string parent;  // empty: there is none
};

/// A file with the two, a line each.
Result<Layer> read_layer(int dirfd) {
  const std::string text = TRY(sys::read_file_at(dirfd, kLayerName, 2 * kIdLength + 2));
  const auto end = std::min(text.find('\n'), text.size());
  return Layer{.id = text.substr(0, end), .parent = text.substr(std::min(end + 1, text.size()))};
}

/// Directories that the plugin shows until it is told that nobody needs them any more.
class Shown {
 public:
  explicit Shown(const GraphPlugin& plugin) : plugin_(plugin) {}

  Result<std::string> get(const std::string& id) {
    if (auto known = find(id)) return std::move(*known);
    std::string directory = TRY(plugin_.get(id));
    const std::lock_guard lock(mutex_);
    const auto [place, is_new] = directories_.try_emplace(id, Entry{directory, 0});
    place->second.directory = directory;
    ++place->second.count;
    return directory;
  }

  std::optional<std::string> find(const std::string& id) {
    const std::lock_guard lock(mutex_);
    const auto found = directories_.find(id);
    if (found == directories_.end()) return std::nullopt;
    return found->second.directory;
  }

  void put(const std::string& id) {
    int count = 0;
    {
      const std::lock_guard lock(mutex_);
      const auto found = directories_.find(id);
      if (found == directories_.end()) return;
      count = found->second.count;
      directories_.erase(found);
    }
    for (; count > 0; --count) {
      if (const auto put = plugin_.put(id); !put.ok()) log::warning("{}", put.error().message());
    }
  }

 private:
  struct Entry {
    std::string directory;
    int count = 0;  // several may have asked at once
  };
  const GraphPlugin& plugin_;
  std::mutex mutex_;
  std::map<std::string, Entry> directories_;  // guarded by mutex_
};

class RemoteSnapshotter final : public StoredSnapshotter, public LayerUnpacker {
 public:
  RemoteSnapshotter(std::unique_ptr<GraphPlugin> plugin, std::string root)
      : plugin_(std::move(plugin)), shown_(*plugin_), root_(std::move(root)) {}

  static Result<std::unique_ptr<Snapshotter>> open(std::unique_ptr<GraphPlugin> plugin,
                                                   const std::string& root, Database& database) {
    auto self = std::make_unique<RemoteSnapshotter>(std::move(plugin), root);
    SnapshotStore::Actions actions{
        .build = [raw = self.get()](
                     int dirfd,
                     const SnapshotStore::Chain& parents) { return raw->build(dirfd, parents); },
        .measure = [raw = self.get()](int dirfd) { return raw->measure(dirfd); },
        .sync_names = true,
        .clear = [raw = self.get()](int dirfd) { return raw->clear(dirfd); },
        .part = kLayerName};
    self->store_ = TRY(SnapshotStore::open(root, database, std::move(actions)));
    return self;
  }

  std::string_view name() const override { return plugin_->name(); }
  LayerUnpacker* unpacker() override { return this; }

  /// What was written to its directory is on disk before the row says that it is whole.
  Result<void> commit(std::string_view name, std::string_view key) override {
    const auto located = TRY(store_->locate(key));
    const auto layer = layer_of(located.chain.front());
    const auto directory = layer.ok() ? shown_.find(layer->id) : std::nullopt;
    if (directory && located.kind == SnapshotKind::kActive) {
      // Whoever removed it meanwhile is found out below.
      if (const auto tree = sys::open_dir(*directory); tree.ok() && ::syncfs(tree->get()) != 0)
        return fail_errno("flush snapshot {}", key);
    }
    TRY(store_->commit(name, key));
    if (layer.ok()) shown_.put(layer->id);
    return {};
  }

  /// The plugin makes the layer anew, as one that is read-only.
  Result<AppliedLayer> unpack(std::string_view key, ByteSource& tar) override {
    const Layer layer = TRY(layer_of(TRY(store_->locate(key)).chain.front()));
    shown_.put(layer.id);
    TRY(plugin_->remove(layer.id));
    TRY(plugin_->create(layer.id, layer.parent, GraphPlugin::Access::kReadOnly));
    return AppliedLayer{.bytes = TRY(plugin_->apply_diff(layer.id, layer.parent, tar))};
  }

 private:
  Result<void> build(int dirfd, const SnapshotStore::Chain& parents) const {
    const Layer layer{.id = random_hex(kIdLength),
                      .parent = parents.empty() ? "" : TRY(layer_of(parents.front())).id};
    TRY(sys::write_file_atomic(dirfd, kLayerName, layer.id + "\n" + layer.parent));
    TRY(sys::sync(TRY(sys::open_dir(root_)).get()));
    return plugin_->create(layer.id, layer.parent, GraphPlugin::Access::kReadWrite);
  }

  Result<SnapshotUsage> measure(int dirfd) const {
    const Layer layer = TRY(read_layer(dirfd));
    return plugin_->usage(layer.id, layer.parent);
  }

  Result<void> clear(int dirfd) const {
    const auto layer = read_layer(dirfd);
    // Without it the plugin has not heard of the snapshot.
    if (!layer.ok() && layer.error().os_errno() == ENOENT) return {};
    if (!layer.ok()) return layer.error();
    shown_.put(layer->id);
    return plugin_->remove(layer->id);
  }

  Result<Layer> layer_of(std::int64_t number) const {
    return read_layer(TRY(sys::open_dir(fmt::format("{}/{}", root_, number))).get());
  }

  Result<Mounts> mounts_of(const SnapshotStore::Chain& chain, SnapshotKind kind) const override {
    const char* access = kind == SnapshotKind::kActive ? "rw" : "ro";
    const std::string directory = TRY(shown_.get(TRY(layer_of(chain.front())).id));
    return Mounts{{"bind", directory, {"rbind", access}}};
  }

  std::unique_ptr<GraphPlugin> plugin_;
  mutable Shown shown_;
  std::string root_;
};

}  // namespace

Result<std::unique_ptr<Snapshotter>> open_remote_snapshotter(const std::string& name,
                                                             const std::string& socket,
                                                             const std::string& root,
                                                             Database& database,
                                                             std::chrono::milliseconds patience) {
  TRY(sys::make_dirs(root, 0700));
  const std::string home = root.substr(0, root.rfind('/')) + "/plugin";
  TRY(sys::make_dirs(home, 0700));
  auto plugin = TRY(GraphPlugin::open(name, socket, home, patience));
  for (const auto& [key, value] : plugin->status().value_or({}))
    log::info("storage plugin {}: {}: {}", name, key, value);
  return RemoteSnapshotter::open(std::move(plugin), root, database);
}

}  // namespace berth::image
