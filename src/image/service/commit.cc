// commit: what a container has changed becomes a layer on top of its image's, and the two a new
// image. The layer's archive is compressed and kept on its way from the one tree to the other.
#include "base/log.h"
#include "base/scope_exit.h"
#include "image/archive/produced_source.h"
#include "image/changes/tree_archive.h"
#include "image/content/hasher.h"
#include "image/load/layer_blob.h"
#include "image/load/unpack.h"
#include "image/service/image_service_impl.h"
#include "image/store/image_config.h"

namespace berth::image {

Result<std::string> ImageServiceImpl::commit(const CommitOptions& options) {
  std::vector<std::string> names;
  if (!options.reference.empty()) {
    const Reference name = TRY(Reference::parse(options.reference));
    if (!name.digest().empty())
      return fail(ErrorKind::kInvalid, "refusing to create a tag with a digest reference");
    names.push_back(name.with_default_tag().str());
  }
  const Maker maker(*this);
  ScopeExit sweep([&] { sweep_after_failure(); });
  Pins pins(*this);
  std::string id = TRY(commit_pinned(options, names, pins));
  sweep.cancel();
  return id;
}

Result<std::string> ImageServiceImpl::commit_pinned(const CommitOptions& options,
                                                    const std::vector<std::string>& names,
                                                    Pins& pins) {
  ImageRecord record = TRY(resolve(options.base)).record;
  Image image = TRY(describe(record));
  // What cannot be pushed makes nothing that can.
  const auto base = TRY(whole_image(record.id, pins));
  std::vector<Descriptor> layers;
  if (base) layers = TRY(read_manifest(*base)).layers;
  const LayerAdded added = TRY(commit_layer_of(options, image, record.top, pins));
  image.config = options.config;
  image.author = options.author;
  image.comment = options.comment;
  image.created = now();
  image.history.push_back({.created = image.created,
                           .created_by = options.created_by,
                           .comment = options.comment,
                           .empty_layer = added.chain_id.empty(),
                           .author = options.author});
  if (!added.chain_id.empty()) record.top = added.chain_id;
  record.size += added.bytes;
  const std::string config = make_image_config(image);
  record.id = TRY(keep(config, pins));
  record.names = names;
  record.manifest.clear();
  record.blobs.clear();
  if (!added.chain_id.empty()) layers.push_back(added.blob);
  if (base) TRY(make_manifest_for(record, config, std::move(layers), pins));
  TRY(images_.add({record}));
  return record.id;
}

Result<ImageServiceImpl::LayerAdded> ImageServiceImpl::commit_layer_of(const CommitOptions& options,
                                                                       Image& image,
                                                                       const std::string& parent,
                                                                       Pins& pins) {
  if (image.diff_ids.size() >= kMaxLayers) {
    return fail(ErrorKind::kInvalid, "max depth exceeded: an image has {} layers at most",
                kMaxLayers);
  }
  if (TRY(snapshots_->stat(options.snapshot)).parent != parent)
    return fail(ErrorKind::kInternal, "the container is not based on image {}", options.base);
  LayerContent content;
  ProducedSource tar([&](ByteSink& sink) -> Result<void> {
    const SnapshotTrees trees = TRY(open_trees(*snapshots_, options.snapshot));
    content = TRY(write_layer(trees, options.is_mount_point, sink));
    return {};
  });
  const auto blob = TRY(LayerBlob::create(content_));
  const UnpackedLayer layer = TRY(unpack_layer(*snapshots_, parent, tar, blob->copy()));
  if (content.changes == 0) {  // nothing of its own: the image's layers are the base's
    TRY(snapshots_->remove(layer.key));
    return LayerAdded{};
  }
  image.diff_ids.push_back(layer.diff_id);
  LayerAdded added{.chain_id = chain_ids(image.diff_ids).back(),
                   .bytes = static_cast<std::int64_t>(layer.bytes)};
  pins.add(added.chain_id);
  added.blob = TRY(blob->finish([&](const Digest& digest) { pins.add(digest.str()); }));
  TRY(commit_layer(layer.key, added.chain_id, layer.bytes));
  TRY(images_.set_layer_blob(added.chain_id, added.blob.digest));
  return added;
}

}  // namespace berth::image
