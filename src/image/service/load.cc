#include "base/json.h"
#include "base/log.h"
#include "base/scope_exit.h"
#include "image/archive/decompress.h"
#include "image/content/hasher.h"
#include "image/load/layer_blob.h"
#include "image/service/image_service_impl.h"
#include "image/store/image_config.h"
#include "sys/file.h"

namespace berth::image {
namespace {

constexpr const char* kConfigType = "application/vnd.oci.image.config.v1+json";

std::vector<std::string> familiar(const std::vector<std::string>& names) {
  std::vector<std::string> shown;
  for (const std::string& name : names) {
    const auto reference = Reference::parse(name);
    shown.push_back(reference.ok() ? reference->familiar() : name);
  }
  return shown;
}

/// What unpacking checks, of a layer that is here unpacked.
Result<void> check_layer(ByteSource& tar, const std::string& diff_id, const TarCopy& copy) {
  HashingSource hashed(tar);
  std::vector<std::byte> buffer(256U << 10);
  while (const std::size_t count = TRY(hashed.read(buffer)))
    if (copy) TRY(copy(std::span(buffer).first(count)));
  if (hashed.finish().str() == diff_id) return {};
  return fail(ErrorKind::kCorrupt, "layer {} is not what the image's config says", diff_id);
}

}  // namespace

Result<std::vector<LoadResult>> ImageServiceImpl::load(ByteSource& archive) {
  const Maker maker(*this);
  ScopeExit sweep([&] { sweep_after_failure(); });
  Pins pins(*this);  // goes before what is not pinned any more is collected
  const auto plain = TRY(decompress(archive).context("image archive"));
  const StagedArchive staged =
      TRY(StagedArchive::read(*plain, staging_.get()).context("image archive"));
  const auto records = TRY(unpack_images(staged, pins).context("image archive"));
  TRY(content_.sync());
  TRY(images_.add(records));
  sweep.cancel();
  std::vector<LoadResult> results;
  for (const ImageRecord& record : records) results.push_back({record.id, familiar(record.names)});
  return results;
}

Result<std::vector<ImageRecord>> ImageServiceImpl::unpack_images(const StagedArchive& archive,
                                                                 Pins& pins) {
  std::vector<ImageRecord> records;
  for (const ArchivedImage& image : TRY(read_archive_index(archive))) {
    records.push_back(TRY(unpack_image(archive, image, pins)));
  }
  return records;
}

Result<ImageRecord> ImageServiceImpl::unpack_image(const StagedArchive& archive,
                                                   const ArchivedImage& image, Pins& pins) {
  const Image config = TRY(parse_image_config(image.config));
  if (config.diff_ids.size() != image.layers.size()) {
    return fail(ErrorKind::kInvalid,
                "invalid manifest, layers length mismatch: expected {}, got {}",
                config.diff_ids.size(), image.layers.size());
  }
  if (config.os != "linux") {
    return fail(ErrorKind::kUnsupported, "the image is for {}, not for linux", config.os);
  }
  ImageRecord record;
  record.id = TRY(keep(image.config, pins));
  for (const Reference& name : image.names) record.names.push_back(name.str());
  std::vector<Descriptor> layers;
  // Without a manifest of its own it keeps the one by which it came first.
  std::optional<ImageRecord> known;
  if (image.manifest.empty())
    known = TRY(whole_image(record.id, pins));
  else
    layers = std::get<Manifest>(TRY(parse_manifest(image.manifest))).layers;
  const auto chain = chain_ids(config.diff_ids);
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const LayerPlan plan{config.diff_ids[i], chain[i], record.top};
    pins.add(plan.chain_id);
    if (known) {
      if (!snapshots_->stat(plan.chain_id).ok()) {
        sys::FdSource blob(TRY(archive.open(image.layers[i])));
        TRY(unpack_blob(blob, plan));
      }
    } else {
      const bool listed = i < layers.size();
      const Descriptor layer =
          TRY(load_layer(archive, image.layers[i], plan, listed ? &layers[i] : nullptr, pins));
      if (!listed) layers.push_back(layer);
    }
    record.size += TRY(images_.layer_size(chain[i]));
    record.top = chain[i];
  }
  if (known) {
    record.manifest = known->manifest;
    record.blobs = known->blobs;
  } else if (image.manifest.empty()) {
    TRY(make_manifest_for(record, image.config, std::move(layers), pins));
  } else {
    record.manifest = TRY(keep(image.manifest, pins));
    for (const Descriptor& layer : layers) record.blobs.push_back(layer.digest);
    const Manifest manifest = std::get<Manifest>(TRY(parse_manifest(image.manifest)));
    TRY(keep_as(manifest.config.digest, image.config, record, pins));
  }
  return record;
}

Result<Manifest> ImageServiceImpl::read_manifest(const ImageRecord& record) const {
  const std::string text = TRY(content_.read(TRY(Digest::parse(record.manifest)), kMaxJsonBytes));
  return std::get<Manifest>(TRY(parse_manifest(text)));
}

Result<std::optional<ImageRecord>> ImageServiceImpl::whole_image(const std::string& id,
                                                                 Pins& pins) {
  auto record = TRY(images_.get(id));
  if (!record || record->manifest.empty()) return std::optional<ImageRecord>();
  std::vector<std::string> blobs = record->blobs;
  blobs.push_back(record->manifest);
  for (const std::string& blob : blobs) {
    pins.add(blob);
    if (!content_.stat(TRY(Digest::parse(blob))).ok()) return std::optional<ImageRecord>();
  }
  return record;
}

Result<Descriptor> ImageServiceImpl::load_layer(const StagedArchive& archive,
                                                const std::string& path, const LayerPlan& plan,
                                                const Descriptor* listed, Pins& pins) {
  const bool unpacked = snapshots_->stat(plan.chain_id).ok();  // another image has this layer
  if (listed == nullptr) return make_layer_blob(archive, path, plan, unpacked, pins);
  pins.add(listed->digest);
  if (!unpacked) {
    sys::FdSource blob(TRY(archive.open(path)));
    TRY(unpack_blob(blob, plan));
  }
  const Digest digest = TRY(Digest::parse(listed->digest));
  if (!content_.stat(digest).ok()) TRY(archive.give(path, content_, digest));
  return *listed;
}

Result<Descriptor> ImageServiceImpl::make_layer_blob(const StagedArchive& archive,
                                                     const std::string& path, const LayerPlan& plan,
                                                     bool unpacked, Pins& pins) {
  const auto pin = [&](const Digest& digest) { pins.add(digest.str()); };
  if (const std::string made = TRY(images_.layer_blob(plan.chain_id)); unpacked && !made.empty()) {
    const Digest digest = TRY(Digest::parse(made));
    pin(digest);
    if (content_.stat(digest).ok()) return describe_layer(content_, digest);
  }
  Descriptor layer;
  sys::FdSource file(TRY(archive.open(path)));
  HashingSource hashed(file);  // of the file as it is, which is to be kept if it is compressed
  const auto tar = TRY(decompress(hashed));
  if (TRY(archive.compression(path)) == Compression::kNone) {
    const auto blob = TRY(LayerBlob::create(content_));
    const TarCopy copy = blob->copy();
    TRY(unpacked ? check_layer(*tar, plan.diff_id, copy) : unpack_blob(*tar, plan, copy));
    layer = TRY(blob->finish(pin));
  } else {
    TRY(unpacked ? check_layer(*tar, plan.diff_id, {}) : unpack_blob(*tar, plan));
    TRY(drain(hashed));
    const Digest digest = hashed.finish();
    pin(digest);
    TRY(archive.give(path, content_, digest));
    layer = TRY(describe_layer(content_, digest));
  }
  TRY(images_.set_layer_blob(plan.chain_id, layer.digest));
  return layer;
}

Result<void> ImageServiceImpl::make_manifest_for(ImageRecord& record, const std::string& config,
                                                 std::vector<Descriptor> layers, Pins& pins) {
  Manifest manifest;
  manifest.config.media_type = kConfigType;
  manifest.config.digest = record.id;
  manifest.config.size = static_cast<std::int64_t>(config.size());
  for (const Descriptor& layer : layers) record.blobs.push_back(layer.digest);
  manifest.layers = std::move(layers);
  record.manifest = TRY(keep(make_manifest(manifest), pins));
  return {};
}

Result<std::string> ImageServiceImpl::keep(const std::string& bytes, Pins& pins) {
  std::string digest = sha256_of(bytes).str();
  pins.add(digest);
  TRY(content_.put(bytes));
  return digest;
}

Result<void> ImageServiceImpl::keep_as(const std::string& digest, const std::string& config,
                                       ImageRecord& record, Pins& pins) {
  if (digest == record.id) return {};
  pins.add(digest);
  TRY(content_.put(config, TRY(Digest::parse(digest))));
  record.blobs.push_back(digest);
  return {};
}

Result<void> ImageServiceImpl::unpack_blob(ByteSource& blob, const LayerPlan& plan,
                                           const TarCopy& copy) {
  const UnpackedLayer layer =
      TRY(unpack_layer(*snapshots_, plan.parent, blob, copy).context("layer " + plan.diff_id));
  if (layer.diff_id != plan.diff_id) {
    if (auto removed = snapshots_->remove(layer.key); !removed.ok()) {
      log::warning("{}", removed.error().message());
    }
    return fail(ErrorKind::kCorrupt,
                "layer {} is not what the image's config says: its digest is {}", plan.diff_id,
                layer.diff_id);
  }
  return commit_layer(layer.key, plan.chain_id, layer.bytes);
}

Result<void> ImageServiceImpl::commit_layer(const std::string& key, const std::string& chain_id,
                                            std::uint64_t bytes) {
  const auto commit = [&]() -> Result<void> {
    TRY(images_.set_layer_size(chain_id, static_cast<std::int64_t>(bytes)));
    return snapshots_->commit(chain_id, key);
  };
  auto committed = commit();
  if (committed.ok()) return {};
  // Equal chain ids have equal trees: whoever was faster made the same.
  const bool made_by_another = committed.error().kind() == ErrorKind::kConflict;
  if (auto removed = snapshots_->remove(key); !removed.ok()) {
    log::warning("{}", removed.error().message());
  }
  return made_by_another ? Result<void>() : std::move(committed);
}

Result<std::string> ImageServiceImpl::import(ByteSource& tar, const ImportOptions& options) {
  std::vector<std::string> names;
  if (!options.reference.empty()) {
    const Reference name = TRY(Reference::parse(options.reference));
    if (!name.digest().empty()) return fail(ErrorKind::kInvalid, "cannot import digest reference");
    names.push_back(name.with_default_tag().str());
  }
  const Maker maker(*this);
  ScopeExit sweep([&] { sweep_after_failure(); });
  Pins pins(*this);
  std::string id = TRY(import_plain(tar, options, names, pins).context("import"));
  sweep.cancel();
  return id;
}

Result<std::string> ImageServiceImpl::import_plain(ByteSource& tar, const ImportOptions& options,
                                                   const std::vector<std::string>& names,
                                                   Pins& pins) {
  const auto blob = TRY(LayerBlob::create(content_));
  const UnpackedLayer layer = TRY(unpack_layer(*snapshots_, "", tar, blob->copy()));
  pins.add(layer.diff_id);
  TRY(commit_layer(layer.key, layer.diff_id, layer.bytes));

  Image image;
  image.config = options.config;
  image.architecture = host_architecture();
  image.os = "linux";
  image.comment = options.message;
  image.created = now();
  image.diff_ids = {layer.diff_id};
  image.history = {{image.created, "", options.message, false}};
  const std::string config = make_image_config(image);
  ImageRecord record;
  record.id = TRY(keep(config, pins));
  record.top = layer.diff_id;
  record.size = static_cast<std::int64_t>(layer.bytes);
  record.names = names;
  const Descriptor kept = TRY(blob->finish([&](const Digest& digest) { pins.add(digest.str()); }));
  TRY(make_manifest_for(record, config, {kept}, pins));
  TRY(images_.add({record}));
  TRY(images_.set_layer_blob(layer.diff_id, kept.digest));
  return record.id;
}

}  // namespace berth::image
