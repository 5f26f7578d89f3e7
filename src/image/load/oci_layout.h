// The OCI image layout in an archive: index.json leads to indexes, indexes to manifests, a manifest
// to a config and layers. Every step is by digest and size, and both are checked. Source:
// image-spec image-layout.md, image-index.md, manifest.md, annotations.md.
#pragma once

#include <vector>

#include "base/result.h"
#include "image/load/archive_index.h"

namespace berth::image {

/// Nobody saves more at once; an index that lists more is an attack.
inline constexpr std::size_t kMaxArchivedImages = 1000;

Result<std::vector<ArchivedImage>> read_oci_layout(const StagedArchive& archive);

}  // namespace berth::image
