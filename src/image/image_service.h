// ImageService: the images of one engine: what the engine asks of this room. It owns the content
// store, the image store and one snapshotter, all below one root directory, and keeps the three
// consistent: an image is listed only when its blobs and its snapshots are on disk. Thread-safe;
// calls block.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_sink.h"
#include "base/byte_source.h"
#include "base/clock.h"
#include "base/result.h"
#include "image/changes/changes.h"
#include "image/check.h"
#include "image/registry/credentials.h"
#include "image/registry/registry_settings.h"
#include "image/snapshot/snapshotter.h"

namespace berth::image {

/// The part of an image's config that says how to run it (image-spec config.md; Docker's image
/// config agrees).
struct ImageConfig {
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
  std::vector<std::string> env;  // "NAME=value"
  std::string working_dir;
  std::string user;
  std::string stop_signal;
  std::map<std::string, std::string> labels;
  std::vector<std::string> exposed_ports;  // "80/tcp"
  std::vector<std::string> volumes;        // paths in the container
};

struct HistoryEntry {
  WallTime created;
  std::string created_by;
  std::string comment;
  bool empty_layer = false;
  std::string author = {};
};

struct Image {
  std::string id;                         // "sha256:<64 hex>": digest of the config blob
  std::vector<std::string> repo_tags;     // familiar form, "busybox:latest"
  std::vector<std::string> repo_digests;  // "busybox@sha256:..."
  ImageConfig config;
  std::string architecture;
  std::string os;
  std::string author;
  std::string comment;
  WallTime created;
  std::int64_t size = 0;                       // bytes of all layers, unpacked
  std::vector<std::string> diff_ids;           // layers, base first
  std::vector<std::int64_t> layer_sizes = {};  // of the same; only inspect() tells
  std::vector<HistoryEntry> history;
  std::string top_snapshot;  // committed snapshot that a container's writable layer is based on;
                             // empty: no layers
};

struct LoadResult {
  std::string id;                      // image id
  std::vector<std::string> repo_tags;  // names it was given; empty: loaded by id only
};

struct PullOptions {
  std::string platform;           // "linux/arm64"; empty: this machine's
  Credentials credentials;        // of the user at the registry
  CredentialsByHost others = {};  // and at its mirrors
};

struct PullResult {
  std::string id;       // image id
  std::string name;     // familiar form, "busybox:latest"
  std::string digest;   // of the manifest or index that the name stands for
  bool is_new = false;  // the name stood for another image, or for none
};

/// How far a layer is.
struct PullProgress {
  enum class Step : std::uint8_t { kFound, kExists, kDownloading, kDownloaded, kDone };
  std::string layer;  // digest of the blob
  Step step = Step::kFound;
  std::uint64_t current = 0;  // bytes; kDownloading
  std::uint64_t total = 0;
};

struct PushOptions {
  Credentials credentials;        // of the user at the registry
  CredentialsByHost others = {};  // and at its mirrors
};

/// How far a layer, or the whole, is.
struct PushProgress {
  enum class Step : std::uint8_t { kPreparing, kExists, kMounted, kPushing, kPushed, kTagged };
  Step step = Step::kPreparing;
  std::string layer = {};     // its diff id; kTagged: none
  std::uint64_t current = 0;  // bytes; kPushing
  std::uint64_t total = 0;    // kPushing; kTagged: bytes of the manifest
  std::string name = {};      // kMounted: the repository it is shared with; kTagged: the tag
  std::string digest = {};    // kTagged: of the manifest
};

struct RemoveResult {
  std::vector<std::string> untagged;  // "busybox:latest"
  std::vector<std::string> deleted;   // "sha256:..."
  std::int64_t freed = 0;             // bytes of layers' files, and of blobs
};

/// What images take: bytes of their layers' files, and of the blobs that they came in.
struct StoreUsage {
  struct OfImage {
    std::int64_t size = 0;
    std::int64_t shared = 0;  // of that, what other images have as well
  };
  std::map<std::string, OfImage> images = {};  // by id
  std::int64_t total = 0;                      // each part once, also what no image has
};

class ImageService {
 public:
  struct Options {
    std::string root;    // directory of its own; made if absent (0700)
    std::string driver;  // "overlay2" (all: snapshot/drivers.cc); empty: the best here
    std::vector<std::string> driver_options = {};  // "KEY=VALUE": snapshot/driver_options.h
    RegistrySettings registries = {};
  };
  /// Opens or creates the store and removes what a crash left half made.
  static Result<std::unique_ptr<ImageService>> open(Options options);
  virtual ~ImageService() = default;

  /// By reference ("busybox", "busybox:1.36", "repo@sha256:..."), full id, or unambiguous id
  /// prefix. kNotFound says what docker says: "No such image: NAME"; kInvalid for a bad reference;
  /// kConflict for an ambiguous prefix.
  virtual Result<Image> find(std::string_view reference) const = 0;
  /// The same with all that is known, at a look-up for each layer.
  virtual Result<Image> inspect(std::string_view reference) const = 0;
  /// Newest first. An image whose config is damaged on disk is among them, with what its row tells
  /// (id, names, size, top_snapshot), and a warning in the log: it can be removed, or repaired by
  /// loading it again.
  virtual Result<std::vector<Image>> list() const = 0;
  /// How many list() would return. Reads no image.
  virtual Result<std::size_t> count() const = 0;

  /// Loads every image of an OCI layout or docker-archive tar (optionally gzip or zstd). All of
  /// them or none.
  virtual Result<std::vector<LoadResult>> load(ByteSource& archive) = 0;

  /// Fetches the image that `reference` names from its registry. What earlier pulls left of its
  /// layers is used. `progress` is called by threads of this call, one at a time. kNotFound: there
  /// is no such image, or one has to log in; kConflict: `stop` was requested.
  virtual Result<PullResult> pull(std::string_view reference, const PullOptions& options,
                                  const std::function<void(const PullProgress&)>& progress,
                                  std::stop_token stop) = 0;

  /// Gives the image that `reference` names (without a tag: each of the repository's) to its
  /// registry, byte for byte as it came. What the registry has is not sent. `progress` as for
  /// pull(). kNotFound: there is no such image here; kPermission: one may not; kConflict: `stop`
  /// was requested.
  virtual Result<void> push(std::string_view reference, const PushOptions& options,
                            const std::function<void(const PushProgress&)>& progress,
                            std::stop_token stop) = 0;

  /// Writes images as one archive: an OCI image layout that is also what Docker loads
  /// (manifest.json), its blobs byte for byte as they came. A name without a tag stands for each
  /// tag of its repository. What is wrong with a name is told before the first byte. kCorrupt: a
  /// blob is damaged or gone.
  virtual Result<void> save(const std::vector<std::string>& references, ByteSink& sink) = 0;

  struct ImportOptions {
    std::string reference;  // empty: no name
    std::string message;
    ImageConfig config;
  };
  /// Makes a one-layer image of a rootfs tar (plain, gzip or zstd) and returns its id.
  virtual Result<std::string> import(ByteSource& tar, const ImportOptions& options) = 0;

  struct CommitOptions {
    std::string snapshot;   // the container's, which nobody removes meanwhile
    std::string base;       // id of the image that the container was made of
    std::string reference;  // empty: no name
    std::string author;
    std::string comment;
    std::string created_by;  // for the history: the container's command
    ImageConfig config;      // of the new image, whole
    IsMountPoint is_mount_point = {};
  };
  /// Makes an image of what a container's snapshot shows: the base's layers, and one more of what
  /// has changed, if anything has. Returns its id. kNotFound: the base is gone.
  virtual Result<std::string> commit(const CommitOptions& options) = 0;

  virtual Result<StoreUsage> usage() const = 0;

  virtual Result<void> tag(std::string_view source, std::string_view target) = 0;

  /// Untags `reference`, and deletes the image once nothing names it (an id with several names
  /// needs `force`). `in_use` tells whether a container uses an image id; such an image is
  /// kConflict unless force, and its layers stay.
  virtual Result<RemoveResult> remove(std::string_view reference, bool force,
                                      const std::function<bool(const std::string& id)>& in_use) = 0;

  /// Removes layers that a removed image left because snapshots of containers were based on them.
  /// Whoever removes such a snapshot calls this afterwards; it costs nothing unless such layers are
  /// known to be there.
  virtual Result<void> collect_garbage() = 0;

  /// Looks for damage, and repairs what it can if that is wanted: bad blobs are moved aside, into
  /// `quarantine` in the root; an image that cannot be used is removed, unless `in_use` says that a
  /// container needs it; one that has lost a layer's blob can still be used, but not pushed; what
  /// nothing refers to goes. Pulling or loading an image again makes it whole. What a snapshot of a
  /// container is based on is never touched.
  ///
  /// May run beside everything else. The blobs of layers are read without a lock; for the rest the
  /// lock of garbage collection is held: loads and pulls wait for it at their next layer.
  virtual Result<CheckReport> check(const CheckOptions& options,
                                    const std::function<bool(const std::string& id)>& in_use) = 0;

  virtual Snapshotter& snapshots() = 0;
};

}  // namespace berth::image
