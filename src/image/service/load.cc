#include "base/json.h"
#include "base/log.h"
#include "base/scope_exit.h"
#include "image/archive/decompress.h"
#include "image/content/hasher.h"
#include "image/load/unpack.h"
#include "image/service/image_service_impl.h"
#include "image/store/image_config.h"
#include "sys/file.h"

namespace berth::image {
namespace {

std::vector<std::string> familiar(const std::vector<std::string>& names) {
  std::vector<std::string> shown;
  for (const std::string& name : names) {
    const auto reference = Reference::parse(name);
    shown.push_back(reference.ok() ? reference->familiar() : name);
  }
  return shown;
}

}  // namespace

Result<std::vector<LoadResult>> ImageServiceImpl::load(ByteSource& archive) {
  ScopeExit sweep([&] { sweep_after_failure(); });
  Pins pins(*this);  // goes before what is not pinned any more is collected
  const auto plain = TRY(decompress(archive).context("image archive"));
  const StagedArchive staged =
      TRY(StagedArchive::read(*plain, staging_.get()).context("image archive"));
  const auto records = TRY(unpack_images(staged, pins).context("image archive"));
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
  const auto chain = chain_ids(config.diff_ids);
  for (std::size_t i = 0; i < chain.size(); ++i) {
    pins.add(chain[i]);
    if (!snapshots_->stat(chain[i]).ok()) {  // else another image has this layer
      sys::FdSource blob(TRY(archive.open(image.layers[i])));
      TRY(unpack_blob(blob, {config.diff_ids[i], chain[i], record.top}));
    }
    record.size += TRY(images_.layer_size(chain[i]));
    record.top = chain[i];
  }
  record.id = TRY(keep(image.config, pins));
  if (!image.manifest.empty()) record.manifest = TRY(keep(image.manifest, pins));
  for (const Reference& name : image.names) record.names.push_back(name.str());
  return record;
}

Result<std::string> ImageServiceImpl::keep(const std::string& bytes, Pins& pins) {
  std::string digest = Sha256::of(bytes).str();
  pins.add(digest);
  TRY(content_.put(bytes));
  return digest;
}

Result<void> ImageServiceImpl::unpack_blob(ByteSource& blob, const LayerPlan& plan) {
  const UnpackedLayer layer =
      TRY(unpack_layer(*snapshots_, plan.parent, blob).context("layer " + plan.diff_id));
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
  ScopeExit sweep([&] { sweep_after_failure(); });
  Pins pins(*this);
  std::string id = TRY(import_plain(tar, options, names, pins).context("import"));
  sweep.cancel();
  return id;
}

Result<std::string> ImageServiceImpl::import_plain(ByteSource& tar, const ImportOptions& options,
                                                   const std::vector<std::string>& names,
                                                   Pins& pins) {
  const UnpackedLayer layer = TRY(unpack_layer(*snapshots_, "", tar));
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
  ImageRecord record{Sha256::of(config).str(), "", layer.diff_id,
                     static_cast<std::int64_t>(layer.bytes), names};
  pins.add(record.id);
  TRY(content_.put(config));
  TRY(images_.add({record}));
  return record.id;
}

}  // namespace berth::image
