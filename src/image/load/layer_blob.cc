#include "image/load/layer_blob.h"

#include <unistd.h>

#include "image/archive/decompress.h"

namespace berth::image {
namespace {

// image-spec layer.md.
constexpr std::string_view kLayerType = "application/vnd.oci.image.layer.v1.tar";

std::string media_type_of(Compression compression) {
  switch (compression) {
    case Compression::kGzip:
      return std::string(kLayerType) + "+gzip";
    case Compression::kZstd:
      return std::string(kLayerType) + "+zstd";
    case Compression::kNone:
      break;
  }
  return std::string(kLayerType);
}

Descriptor describe(const BlobInfo& blob, Compression compression) {
  Descriptor descriptor;
  descriptor.media_type = media_type_of(compression);
  descriptor.digest = blob.digest.str();
  descriptor.size = static_cast<std::int64_t>(blob.size);
  return descriptor;
}

}  // namespace

LayerBlob::LayerBlob(ContentStore::Writer writer)
    : writer_(std::move(writer)),
      gzip_([this](std::span<const std::byte> bytes) { return writer_.write(bytes); }) {}

Result<std::unique_ptr<LayerBlob>> LayerBlob::create(ContentStore& content) {
  return std::unique_ptr<LayerBlob>(new LayerBlob(TRY(ContentStore::Writer::create(content))));
}

TarCopy LayerBlob::copy() {
  return [this](std::span<const std::byte> bytes) { return gzip_.write(bytes); };
}

Result<Descriptor> LayerBlob::finish(const std::function<void(const Digest&)>& announce) {
  TRY(gzip_.finish());
  return describe(TRY(writer_.finish({}, announce)), Compression::kGzip);
}

Result<Descriptor> describe_layer(const ContentStore& content, const Digest& digest) {
  const UniqueFd blob = TRY(content.open_blob(digest));
  std::byte head[6];
  const ssize_t count = ::pread(blob.get(), head, sizeof head, 0);
  if (count < 0) return fail_errno("read blob {}", digest.str());
  const auto compression =
      TRY(compression_of(std::span(head).first(static_cast<std::size_t>(count))));
  return describe(TRY(content.stat(digest)), compression);
}

}  // namespace berth::image
