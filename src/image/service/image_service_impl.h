// ImageServiceImpl: the parts of this room put together. What keeps the three stores consistent:
//
//   an image's row is written last, when its snapshots and blobs are on disk, and removed first;
//   what no row refers to is garbage, and sweep() removes it: after a failed load, after a removal,
//   and when the service opens, for then a crash may have left some; what a load in progress has
//   made or relies on is *pinned*, in memory, until its row is there; layers without an image that
//   a container is based on are *left over*, and swept when that is gone.
//
// What a sweep removes is gone for everybody at once, and put aside; its files go behind that.
//
// One lock, held while garbage is collected or rows are checked, and for the moment of pinning: a
// pin is therefore either seen by the collector, or finds what the collector left.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "image/content/content_store.h"
#include "image/image_service.h"
#include "image/load/archive_index.h"
#include "image/load/unpack.h"
#include "image/manifest/manifest.h"
#include "image/reference/reference.h"
#include "image/registry/download.h"
#include "image/service/cleaner.h"
#include "image/store/database.h"
#include "image/store/image_store.h"
#include "sys/dir.h"

namespace berth::image {

class ImageServiceImpl final : public ImageService {
 public:
  static Result<std::unique_ptr<ImageService>> open(Options options);

  Result<Image> find(std::string_view reference) const override;
  Result<Image> inspect(std::string_view reference) const override;
  Result<std::vector<Image>> list() const override;
  Result<std::size_t> count() const override;
  Result<std::vector<LoadResult>> load(ByteSource& archive) override;
  Result<PullResult> pull(std::string_view reference, const PullOptions& options,
                          const std::function<void(const PullProgress&)>& progress,
                          std::stop_token stop) override;
  Result<void> push(std::string_view reference, const PushOptions& options,
                    const std::function<void(const PushProgress&)>& progress,
                    std::stop_token stop) override;
  Result<void> save(const std::vector<std::string>& references, ByteSink& sink) override;
  Result<std::string> import(ByteSource& tar, const ImportOptions& options) override;
  Result<std::string> commit(const CommitOptions& options) override;
  Result<StoreUsage> usage() const override;
  Result<void> tag(std::string_view source, std::string_view target) override;
  Result<RemoveResult> remove(std::string_view reference, bool force,
                              const std::function<bool(const std::string& id)>& in_use) override;
  Result<void> collect_garbage() override;
  Result<CheckReport> check(const CheckOptions& options,
                            const std::function<bool(const std::string& id)>& in_use) override;
  Snapshotter& snapshots() override { return *snapshots_; }

 private:
  friend class Pull;
  friend class Push;
  friend class Save;
  friend class StoreCheck;
  /// What a load has made or relies on: chain ids and digests of blobs. Unpins when it goes.
  class Pins {
   public:
    explicit Pins(ImageServiceImpl& owner) : owner_(owner) {}
    ~Pins();
    Pins(const Pins&) = delete;
    Pins& operator=(const Pins&) = delete;
    void add(const std::string& name);

   private:
    ImageServiceImpl& owner_;
    std::vector<std::string> names_;
  };

  /// Somebody who may be writing, or about to collect garbage of his own: while there are any, what
  /// nothing refers to may be theirs.
  class Maker {
   public:
    explicit Maker(ImageServiceImpl& owner);
    ~Maker();
    Maker(const Maker&) = delete;
    Maker& operator=(const Maker&) = delete;

   private:
    ImageServiceImpl& owner_;
  };

  ImageServiceImpl(sys::DirLock lock, std::unique_ptr<Database> database, ContentStore content,
                   std::unique_ptr<Snapshotter> snapshots, UniqueFd staging, UniqueFd downloads,
                   RegistrySettings registries);

  /// The record that a name, an id or a prefix stands for, and the name's row if it was one.
  struct Resolved {
    ImageRecord record;
    std::string name;
  };
  Result<Resolved> resolve(std::string_view reference) const;
  Result<Image> describe(const ImageRecord& record) const;

  Result<std::vector<ImageRecord>> unpack_images(const StagedArchive& archive, Pins& pins);
  Result<ImageRecord> unpack_image(const StagedArchive& archive, const ArchivedImage& image,
                                   Pins& pins);
  /// The manifest that the image's row names.
  Result<Manifest> read_manifest(const ImageRecord& record) const;
  /// The image if it is here with all its blobs, which are pinned then.
  Result<std::optional<ImageRecord>> whole_image(const std::string& id, Pins& pins);
  /// What a layer is to become.
  struct LayerPlan {
    std::string diff_id;
    std::string chain_id;
    std::string parent;  // chain id; empty: the base
  };
  Result<void> unpack_blob(ByteSource& blob, const LayerPlan& plan, const TarCopy& copy = {});
  /// Unpacks the layer if that is to be done, and keeps its blob: the one that `listed`, a
  /// manifest's entry, says, or one that is made of it. `path`: in the archive.
  Result<Descriptor> load_layer(const StagedArchive& archive, const std::string& path,
                                const LayerPlan& plan, const Descriptor* listed, Pins& pins);
  Result<Descriptor> make_layer_blob(const StagedArchive& archive, const std::string& path,
                                     const LayerPlan& plan, bool unpacked, Pins& pins);
  /// Keeps a manifest for an image that came without one.
  Result<void> make_manifest_for(ImageRecord& record, const std::string& config,
                                 std::vector<Descriptor> layers, Pins& pins);
  /// Keeps the blob and pins it. Returns its digest.
  Result<std::string> keep(const std::string& bytes, Pins& pins);
  /// Keeps an image's config under the name that its manifest has for it, if that is not its id.
  Result<void> keep_as(const std::string& digest, const std::string& config, ImageRecord& record,
                       Pins& pins);
  Result<std::string> import_plain(ByteSource& tar, const ImportOptions& options,
                                   const std::vector<std::string>& names, Pins& pins);
  Result<void> commit_layer(const std::string& key, const std::string& chain_id,
                            std::uint64_t bytes);

  // commit.cc
  Result<std::string> commit_pinned(const CommitOptions& options,
                                    const std::vector<std::string>& names, Pins& pins);
  struct LayerAdded {
    std::string chain_id;  // empty: none was needed
    std::int64_t bytes = 0;
    Descriptor blob = {};
  };
  /// Makes the layer of what has changed on `parent`, and adds it to `image`.
  Result<LayerAdded> commit_layer_of(const CommitOptions& options, Image& image,
                                     const std::string& parent, Pins& pins);

  Result<RemoveResult> untag(const std::string& name);
  /// One attempt at remove(): nothing if the image got or lost a name meanwhile.
  Result<std::optional<RemoveResult>> try_remove(
      std::string_view reference, bool force,
      const std::function<bool(const std::string& id)>& in_use);
  Result<std::optional<RemoveResult>> remove_image(const ImageRecord& record);
  /// Removes layers, unfinished ones too, and blobs that neither an image nor a pin refers to.
  struct Swept {
    std::vector<std::string> layers = {};  // chain ids
    std::int64_t bytes = 0;                // of their files, and of blobs
  };
  Result<Swept> sweep(bool unfinished_too);
  Result<Swept> sweep_locked(bool unfinished_too);
  struct Garbage {
    std::vector<std::string> layers;      // chain ids, children first
    std::vector<std::string> unfinished;  // keys of snapshots that were never committed
    std::vector<std::string> sizes;       // chain ids of layers that are not there
    std::vector<BlobInfo> blobs;
    bool left_over = false;  // layers stay that only a container needs
  };
  /// Under garbage_mutex_.
  Result<Garbage> find_garbage() const;
  Result<Garbage> find_garbage_layers(const std::set<std::string>& needed) const;
  void sweep_after_failure();

  sys::DirLock lock_;  // of the root directory: one service at a time
  std::unique_ptr<Database> database_;
  ImageStore images_;
  ContentStore content_;
  std::unique_ptr<Snapshotter> snapshots_;
  UniqueFd staging_;
  Downloads downloads_;
  const RegistrySettings registries_;

  std::mutex garbage_mutex_;
  std::multiset<std::string> pinned_;  // guarded by garbage_mutex_
  int makers_ = 0;                     // guarded by garbage_mutex_
  /// The last sweep found layers that only a container needs, or failed. Set before it begins: who
  /// reads false may miss only what a sweep under way is about to see.
  std::atomic<bool> left_over_ = true;
  /// Removes what was put aside, without a lock. Last: it uses the rest.
  Cleaner cleaner_{[this](const std::stop_token& stop) { snapshots_->clear_aside(stop); }};
};

}  // namespace berth::image
