// pull(): an image from its registry. Its layers are downloaded beside each other and unpacked one
// after the other, each while it arrives:
//
//   name -> manifest (by way of an index) -> config -> layers
//                                                        download 1 ====> unpack 1
//                                                        download 2 ======>   unpack 2
//                                                        download 3 ===>          unpack 3
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>
#include <variant>

#include "base/json.h"
#include "base/scope_exit.h"
#include "image/manifest/manifest.h"
#include "image/registry/foreign_blob.h"
#include "image/registry/registry_client.h"
#include "image/service/image_service_impl.h"
#include "image/store/image_config.h"
#include "sys/file.h"

namespace berth::image {
namespace {

using Step = PullProgress::Step;
using Sink = std::function<void(const PullProgress&)>;

constexpr std::chrono::milliseconds kProgressEvery{100};

/// Tells how far downloads are, until it goes.
class Ticker {
 public:
  struct Watched {
    std::string layer;
    std::shared_ptr<Download> download;
    bool told_all = false;
  };

  explicit Ticker(const Sink& sink) : sink_(sink) {}

  void tell(const std::string& layer, Step step) {
    const std::scoped_lock lock(mutex_);
    sink_({.layer = layer, .step = step});
  }

  void watch(std::vector<Watched> watched) {
    watched_ = std::move(watched);
    thread_ = std::jthread([this](const std::stop_token& stop) {
      std::unique_lock lock(mutex_);
      while (!stop.stop_requested()) {
        for (Watched& one : watched_) look(one);
        wakeup_.wait_for(lock, stop, kProgressEvery, [] { return false; });
      }
    });
  }

  /// The layer's download began anew.
  void rewatch(const std::string& layer, const std::shared_ptr<Download>& download) {
    const std::scoped_lock lock(mutex_);
    for (Watched& one : watched_)
      if (one.layer == layer) one = {layer, download};
  }

  /// Nothing is told of this one any more but what tell() does.
  void finish(const std::string& layer) {
    const std::scoped_lock lock(mutex_);
    for (Watched& one : watched_)
      if (one.layer == layer) {
        look(one);
        one.download.reset();
      }
  }

 private:
  void look(Watched& one) {
    if (!one.download || one.told_all) return;
    const std::uint64_t arrived = one.download->arrived();
    if (arrived == 0) return;
    one.told_all = arrived == one.download->size();
    sink_({one.layer, one.told_all ? Step::kDownloaded : Step::kDownloading, arrived,
           one.download->size()});
  }

  const Sink& sink_;
  std::mutex mutex_;  // guards the sink and what follows
  std::condition_variable_any wakeup_;
  std::vector<Watched> watched_;
  std::jthread thread_;  // last
};

}  // namespace

/// One pull.
class Pull {
 public:
  Pull(ImageServiceImpl& service, Reference reference, const PullOptions& options,
       const Sink& progress, std::stop_token stop)
      : service_(service),
        reference_(std::move(reference)),
        options_(options),
        ticker_(progress),
        stop_(std::move(stop)),
        pins_(service) {}

  Result<PullResult> run() {
    TRY(find_manifest());
    const std::string config = TRY(fetch_config());
    const Image image = TRY(parse_image_config(config).context("the image's config"));
    if (image.os != "linux")
      return fail(ErrorKind::kUnsupported, "the image is for {}, not for linux", image.os);
    if (image.diff_ids.size() != manifest_.layers.size())
      return fail(ErrorKind::kInvalid,
                  "invalid manifest, layers length mismatch: expected {}, got {}",
                  image.diff_ids.size(), manifest_.layers.size());
    TRY(fetch_layers(image.diff_ids));
    record_.id = TRY(service_.keep(config, pins_));
    TRY(service_.keep_as(manifest_.config.digest, config, record_, pins_));
    record_.manifest = TRY(service_.keep(manifest_text_, pins_));
    return give_names();
  }

 private:
  // From the name to the manifest for the platform.
  Result<void> find_manifest() {
    client_ = TRY(RegistryClient::open(reference_, {.credentials = options_.credentials,
                                                    .others = options_.others,
                                                    .settings = service_.registries_}));
    wanted_ =
        options_.platform.empty() ? Platform::host() : TRY(Platform::parse(options_.platform));
    std::string which = reference_.digest().empty() ? reference_.tag() : reference_.digest();
    for (int depth = 0; depth < kMaxIndexDepth; ++depth) {
      auto document = TRY(client_->manifest(which, stop_));
      if (digest_.empty()) digest_ = document.digest;
      const auto parsed =
          TRY(parse_manifest(document.text).context("the manifest " + document.digest));
      if (const Manifest* manifest = std::get_if<Manifest>(&parsed)) {
        manifest_ = *manifest;
        manifest_text_ = std::move(document.text);
        return {};
      }
      which = TRY(choose(std::get<Index>(parsed), wanted_)).digest;
    }
    return fail(ErrorKind::kInvalid, "{}: indexes lead to indexes too often",
                reference_.familiar());
  }

  Result<std::string> fetch_config() {
    return client_->small_blob(manifest_.config.digest, kMaxJsonBytes, stop_)
        .context("the image's config");
  }

  struct Layer {
    ImageServiceImpl::LayerPlan plan;
    Descriptor blob;
    bool unpacked = false;
    std::shared_ptr<Download> download;  // none: the blob is here already
  };

  Result<Layer> begin(const Descriptor& blob, ImageServiceImpl::LayerPlan plan) {
    Layer layer{std::move(plan), blob, false, {}};
    ticker_.tell(blob.digest, Step::kFound);
    pins_.add(layer.plan.chain_id);
    pins_.add(blob.digest);
    record_.blobs.push_back(blob.digest);
    layer.unpacked = service_.snapshots_->stat(layer.plan.chain_id).ok();
    const bool kept = service_.content_.stat(TRY(Digest::parse(blob.digest))).ok();
    if (kept && layer.unpacked) ticker_.tell(blob.digest, Step::kExists);
    if (kept) return layer;
    layer.download = TRY(download(blob));
    return layer;
  }

  Result<std::shared_ptr<Download>> download(const Descriptor& blob) {
    if (blob.size < 0)
      return fail(ErrorKind::kInvalid, "the manifest does not say how large {} is", blob.digest);
    const Digest digest = TRY(Digest::parse(blob.digest));
    return service_.downloads_.get(
        digest, static_cast<std::uint64_t>(blob.size),
        [client = client_, blob, settings = service_.registries_](
            std::uint64_t offset, Patience& patience, std::stop_token stop) {
          auto bytes = client->blob(blob.digest, offset, patience, stop);
          const bool elsewhere = !bytes.ok() && bytes.error().kind() == ErrorKind::kNotFound &&
                                 blob.is_foreign() && !blob.urls.empty();
          return elsewhere ? fetch_foreign(blob.urls, offset, settings, stop) : std::move(bytes);
        });
  }

  Result<void> fetch_layers(const std::vector<std::string>& diff_ids) {
    const auto chain = chain_ids(diff_ids);
    std::vector<Layer> layers;
    std::vector<Ticker::Watched> watched;
    for (std::size_t i = 0; i < chain.size(); ++i) {
      layers.push_back(
          TRY(begin(manifest_.layers[i], {diff_ids[i], chain[i], i == 0 ? "" : chain[i - 1]})));
      if (layers.back().download)
        watched.push_back({layers.back().blob.digest, layers.back().download});
    }
    ticker_.watch(std::move(watched));
    for (Layer& layer : layers) {
      if (stop_.stop_requested())
        return fail(ErrorKind::kConflict, "the pull of {} was given up", reference_.familiar());
      TRY(unpack(layer));
      record_.size += TRY(service_.images_.layer_size(layer.plan.chain_id));
      record_.top = layer.plan.chain_id;
    }
    return {};
  }

  Result<void> unpack(Layer& layer) {
    if (layer.unpacked && !layer.download) return {};
    auto done = try_unpack(layer);
    if (!done.ok() && was_sent_wrong(layer)) {
      client_->drop_mirrors();
      layer.download = TRY(download(layer.blob));
      ticker_.rewatch(layer.blob.digest, layer.download);
      done = try_unpack(layer);
    }
    ticker_.finish(layer.blob.digest);
    TRY(std::move(done));
    layer.download.reset();
    ticker_.tell(layer.blob.digest, Step::kDone);
    return {};
  }

  Result<void> try_unpack(Layer& layer) {
    if (!layer.unpacked) {
      const auto source = TRY(open(layer));
      TRY(service_.unpack_blob(*source, layer.plan));
      layer.unpacked = true;
    }
    return layer.download ? layer.download->keep(service_.content_) : Result<void>();
  }

  /// By a mirror, that is. What could not be unpacked shows at its end whether it was that.
  bool was_sent_wrong(const Layer& layer) {
    if (!layer.download || !client_->has_mirrors()) return false;
    const auto whole = layer.download->wait();
    return !whole.ok() && whole.error().kind() == ErrorKind::kCorrupt;
  }

  Result<std::unique_ptr<ByteSource>> open(const Layer& layer) {
    if (layer.download) return layer.download->open();
    UniqueFd blob = TRY(service_.content_.open_blob(TRY(Digest::parse(layer.blob.digest))));
    return std::unique_ptr<ByteSource>(std::make_unique<sys::FdSource>(std::move(blob)));
  }

  Result<PullResult> give_names() {
    PullResult result{.id = record_.id, .name = reference_.familiar(), .digest = digest_};
    record_.names.push_back(reference_.at(TRY(Digest::parse(digest_))).str());
    if (reference_.digest().empty()) record_.names.push_back(reference_.str());
    TRY(service_.content_.sync());
    result.is_new = TRY(service_.images_.id_of(record_.names.back())) != record_.id;
    TRY(service_.images_.add({record_}));
    return result;
  }

  ImageServiceImpl& service_;
  const Reference reference_;  // with a tag or a digest
  const PullOptions& options_;
  Ticker ticker_;
  const std::stop_token stop_;
  ImageServiceImpl::Pins pins_;

  std::shared_ptr<RegistryClient> client_;
  Platform wanted_;
  std::string digest_;  // of what the name stands for
  std::string manifest_text_;
  Manifest manifest_;
  ImageRecord record_;
};

Result<PullResult> ImageServiceImpl::pull(std::string_view reference, const PullOptions& options,
                                          const std::function<void(const PullProgress&)>& progress,
                                          std::stop_token stop) {
  Reference name = TRY(Reference::parse(reference)).with_default_tag();
  const Maker maker(*this);
  ScopeExit sweep([&] { sweep_after_failure(); });
  Pull pull(*this, std::move(name), options, progress, std::move(stop));
  auto pulled = pull.run();
  if (pulled.ok()) sweep.cancel();
  return pulled;
}

}  // namespace berth::image
