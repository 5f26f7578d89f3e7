// push(): an image to its registry: its layers beside each other, each only if the registry lacks
// it, then the config, and the manifest last, for what it lists must be there.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>
#include <variant>

#include "base/json.h"
#include "image/manifest/manifest.h"
#include "image/registry/registry_client.h"
#include "image/service/image_service_impl.h"
#include "image/store/image_config.h"

namespace berth::image {
namespace {

using Step = PushProgress::Step;
using Sink = std::function<void(const PushProgress&)>;

/// Docker's default of layers on their way at once.
constexpr std::size_t kAtOnce = 5;
constexpr std::chrono::milliseconds kProgressEvery{100};

}  // namespace

/// One push of one tag.
class Push {
 public:
  Push(ImageServiceImpl& service, Reference reference, const PushOptions& options,
       const Sink& progress, std::stop_token stop)
      : service_(service),
        reference_(std::move(reference)),
        options_(options),
        sink_(progress),
        stop_(std::move(stop)),
        pins_(service) {}

  Result<void> run() {
    TRY(find_image());
    TRY(find_mounts());
    client_ = TRY(
        RegistryClient::open(reference_, {.credentials = options_.credentials,
                                          .others = options_.others,
                                          .settings = service_.registries_,
                                          .access = RegistryOptions::Access::kPush,
                                          .mounts = {mount_names_.begin(), mount_names_.end()}}));
    for (const Layer& layer : layers_) tell({.step = Step::kPreparing, .layer = layer.diff_id});
    TRY(push_layers());
    TRY(push_blob(manifest_.config, {}));
    TRY(client_->push_manifest(reference_.tag(), manifest_text_, stop_));
    tell({.step = Step::kTagged,
          .total = manifest_text_.size(),
          .name = reference_.tag(),
          .digest = record_.manifest});
    // It can be named by its digest there from now on.
    const Reference there = reference_.at(TRY(Digest::parse(record_.manifest)));
    return service_.images_.set_name(there.str(), record_.id);
  }

 private:
  struct Layer {
    Descriptor blob;
    std::string diff_id;
    std::string mount_from;  // a repository that has it; empty: none is known
  };

  Result<void> find_image() {
    record_ = TRY(service_.resolve(reference_.str())).record;
    if (record_.manifest.empty())
      return fail(ErrorKind::kUnsupported,
                  "{} has no manifest, for it was loaded by an older version: load it again",
                  reference_.familiar());
    for (const std::string& blob : record_.blobs) pins_.add(blob);
    pins_.add(record_.manifest);
    pins_.add(record_.id);
    manifest_text_ =
        TRY(service_.content_.read(TRY(Digest::parse(record_.manifest)), kMaxJsonBytes));
    manifest_ = std::get<Manifest>(TRY(parse_manifest(manifest_text_)));
    const Image image = TRY(service_.describe(record_));
    for (std::size_t i = 0; i < manifest_.layers.size(); ++i) {
      const Descriptor& blob = manifest_.layers[i];
      if (blob.is_foreign()) continue;
      layers_.push_back({blob, i < image.diff_ids.size() ? image.diff_ids[i] : blob.digest, {}});
    }
    return {};
  }

  // Which repositories of the registry have one of the layers: those that images with it came from
  // or went to.
  Result<void> find_mounts() {
    for (const ImageRecord& record : TRY(service_.images_.list())) {
      for (const std::string& name : record.names) {
        const auto other = Reference::parse(name);
        if (!other.ok() || other->digest().empty() || other->domain() != reference_.domain() ||
            other->path() == reference_.path())
          continue;
        for (Layer& layer : layers_) {
          if (!layer.mount_from.empty() ||
              std::ranges::find(record.blobs, layer.blob.digest) == record.blobs.end())
            continue;
          layer.mount_from = other->path();
          mount_names_.insert(other->path());
        }
      }
    }
    return {};
  }

  Result<void> push_layers() {
    std::atomic<std::size_t> next = 0;
    std::stop_source failed;
    const std::stop_callback on_stop(stop_, [&] { failed.request_stop(); });
    std::optional<Error> error;  // the first; guarded by mutex_
    const auto work = [&] {
      for (std::size_t i = next++; i < layers_.size(); i = next++) {
        auto pushed = failed.stop_requested()
                          ? Result<void>(fail(ErrorKind::kConflict, "the push was given up"))
                          : push_layer(layers_[i], failed.get_token());
        if (pushed.ok()) continue;
        const std::scoped_lock lock(mutex_);
        if (!error) error = std::move(pushed).error();
        failed.request_stop();
      }
    };
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 1; i < std::min(kAtOnce, layers_.size()); ++i)
        threads.emplace_back(work);
      work();
    }
    return error ? Result<void>(*error) : Result<void>();
  }

  Result<void> push_layer(const Layer& layer, std::stop_token stop) {
    auto last = std::chrono::steady_clock::time_point();
    const auto sent = [&,
                       total = static_cast<std::uint64_t>(layer.blob.size)](std::uint64_t count) {
      const auto time = std::chrono::steady_clock::now();
      if (time - last < kProgressEvery && count < total) return;
      last = time;
      tell({.step = Step::kPushing, .layer = layer.diff_id, .current = count, .total = total});
    };
    const auto how = TRY(push_blob(layer.blob, layer.mount_from, sent, std::move(stop)));
    PushProgress done{.step = Step::kPushed, .layer = layer.diff_id};
    if (how == RegistryClient::Upload::kExisted) done.step = Step::kExists;
    if (how == RegistryClient::Upload::kMounted) {
      done.step = Step::kMounted;
      done.name = layer.mount_from;
    }
    tell(done);
    return {};
  }

  Result<RegistryClient::Upload> push_blob(const Descriptor& blob, const std::string& mount_from,
                                           std::function<void(std::uint64_t)> sent,
                                           std::stop_token stop) {
    const Digest digest = TRY(Digest::parse(blob.digest));
    const auto file = service_.content_.open_blob(digest);
    if (!file.ok() && file.error().kind() != ErrorKind::kNotFound) return file.error();
    RegistryClient::BlobUpload upload{.digest = blob.digest,
                                      .size = 0,
                                      .file = file.ok() ? file->get() : -1,
                                      .mount_from = mount_from,
                                      .sent = std::move(sent)};
    if (file.ok()) upload.size = TRY(service_.content_.stat(digest)).size;
    return client_->push_blob(upload, std::move(stop));
  }

  Result<void> push_blob(const Descriptor& blob, const std::string& mount_from) {
    TRY(push_blob(blob, mount_from, {}, stop_));
    return {};
  }

  void tell(const PushProgress& progress) {
    const std::scoped_lock lock(mutex_);
    sink_(progress);
  }

  ImageServiceImpl& service_;
  const Reference reference_;  // with a tag
  const PushOptions& options_;
  const Sink& sink_;
  const std::stop_token stop_;
  ImageServiceImpl::Pins pins_;
  std::mutex mutex_;

  ImageRecord record_;
  std::string manifest_text_;
  Manifest manifest_;
  std::vector<Layer> layers_;
  std::set<std::string> mount_names_;
  std::shared_ptr<RegistryClient> client_;
};

Result<void> ImageServiceImpl::push(std::string_view reference, const PushOptions& options,
                                    const std::function<void(const PushProgress&)>& progress,
                                    std::stop_token stop) {
  const Reference name = TRY(Reference::parse(reference));
  if (!name.digest().empty()) return fail(ErrorKind::kInvalid, "cannot push a digest reference");
  std::vector<Reference> all;
  if (!name.tag().empty()) {
    all.push_back(name);
  } else {
    for (const ImageRecord& record : TRY(images_.list()))
      for (const std::string& text : record.names)
        if (const auto other = Reference::parse(text);
            other.ok() && other->digest().empty() && other->repository() == name.repository())
          all.push_back(*other);
    std::ranges::sort(all);
  }
  if (all.empty() || !TRY(images_.id_of(all.front().str())))
    return fail(ErrorKind::kNotFound, "An image does not exist locally with the tag: {}",
                name.familiar_repository());
  for (const Reference& one : all) TRY(Push(*this, one, options, progress, stop).run());
  return {};
}

}  // namespace berth::image
