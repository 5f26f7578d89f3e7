// The bytes of extended attributes in an inode.
#pragma once

#include <cstddef>
#include <vector>

#include "image/erofs/writer.h"

namespace berth::image::erofs {

/// Of attributes that check_xattrs() has found good; 0 without any.
std::size_t xattrs_size(const Xattrs& xattrs);
std::vector<std::byte> xattrs_bytes(const Xattrs& xattrs);

}  // namespace berth::image::erofs
