// What an image archive says it contains: docker-archive (manifest.json, as `docker save` writes)
// or OCI image layout (index.json). Both may be there, as since Docker 25; the first is then the
// one that knows the names. Sources: image-spec image-layout.md, image-index.md, manifest.md;
// Docker's image spec v1.2, "Combined Image JSON".
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "image/load/staged_archive.h"
#include "image/reference/reference.h"

namespace berth::image {

struct ArchivedImage {
  std::string config;               // JSON, byte for byte
  std::string manifest;             // OCI manifest, byte for byte; empty in a docker-archive
  std::vector<std::string> layers;  // paths in the archive, base first
  std::vector<Reference> names;     // with a tag each
};

/// Every image of the archive, of a multi-platform index the one for this machine. kInvalid or
/// kCorrupt name the document that is wrong; kUnsupported what this machine cannot run.
Result<std::vector<ArchivedImage>> read_archive_index(const StagedArchive& archive);

}  // namespace berth::image
