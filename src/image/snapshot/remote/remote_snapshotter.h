// The snapshotter of a storage plugin: every snapshot is a layer that a program outside of the
// engine keeps, by Docker's protocol for that (graph_plugin.h). What it shows is a directory of
// its own, which is bind-mounted; a layer is given to it as the archive that it is.
//
// Layout of a snapshot's directory: layer (a file with the names by which the plugin knows the
// layer and the one below). It is on disk before the plugin hears of the layer, so that what a
// crash leaves can be removed there too. A snapshot is shown by the plugin from the first look at
// it until it is committed or removed.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "image/snapshot/remote/graph_plugin.h"
#include "image/snapshot/snapshotter.h"
#include "image/store/database.h"

namespace berth::image {

/// Keeps ids below `root` and its rows in `database`, borrowed; the plugin keeps its layers in the
/// directory "plugin" beside `root`. usage() is what the plugin says.
Result<std::unique_ptr<Snapshotter>> open_remote_snapshotter(
    const std::string& name, const std::string& socket, const std::string& root, Database& database,
    std::chrono::milliseconds patience = kPluginPatience);

}  // namespace berth::image
