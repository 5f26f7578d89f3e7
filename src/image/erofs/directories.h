// The directories of a layer, as the file system has them: names in the order of their bytes, in
// blocks each of which starts with a table of its names.
#pragma once

#include "base/result.h"
#include "image/erofs/layer_tree.h"
#include "image/erofs/writer.h"

namespace berth::image::erofs {

/// The last part of a layer: writes the directories of `tree`, which is finished and whose other
/// nodes are written, and how many names these have.
Result<void> write_directories(LayerTree& tree, Writer& writer);

}  // namespace berth::image::erofs
