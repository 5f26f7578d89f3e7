// LayerBlob: the blob of a layer that came without one that could be kept (an archive of Docker's
// has tars, import and commit make them): compressed while it is unpacked, so that the image can be
// pushed and saved.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "image/archive/gzip_writer.h"
#include "image/content/content_store.h"
#include "image/load/unpack.h"
#include "image/manifest/manifest.h"

namespace berth::image {

class LayerBlob {
 public:
  /// Borrows `content`.
  static Result<std::unique_ptr<LayerBlob>> create(ContentStore& content);

  /// What takes the tar. Borrows this.
  TarCopy copy();
  /// Puts the blob into the store, announced as ContentStore::Writer::finish() does.
  Result<Descriptor> finish(const std::function<void(const Digest&)>& announce);

 private:
  explicit LayerBlob(ContentStore::Writer writer);

  ContentStore::Writer writer_;
  GzipWriter gzip_;
};

/// What a manifest says of a layer's blob that is in the store.
Result<Descriptor> describe_layer(const ContentStore& content, const Digest& digest);

}  // namespace berth::image
