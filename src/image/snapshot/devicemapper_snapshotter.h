// The "devicemapper" snapshotter: every snapshot is a block device with a file system of its own, a
// snapshot of its parent's in a thin pool (thin_pool.h). Its size is fixed, which no container can
// get beyond. Its one mount is the file system, "ext4".
//
// Layout of a snapshot's directory: device (a file with the device's number and its parent's). It
// is on disk before the device is made.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "image/snapshot/snapshotter.h"
#include "image/snapshot/thin_pool.h"
#include "image/store/database.h"

namespace berth::image {

/// Keeps the numbers below `root` and its rows in `database`, borrowed; the pool is in the
/// directory "pool" beside `root`. usage() is found by comparing a tree with its parent's.
/// kUnsupported if the host lacks what a pool needs.
Result<std::unique_ptr<Snapshotter>> open_devicemapper_snapshotter(
    const std::string& root, Database& database, const ThinPoolOptions& options = {});

}  // namespace berth::image
