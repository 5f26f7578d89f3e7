// The conformance suite of the Snapshotter interface: a driver is right if these pass. Instantiate
// with one SnapshotterCase per driver. Needs root. Trees are in snapshotter_testsuite.cc, unpacked
// layers in snapshotter_layers_testsuite.cc, calls that meet in snapshotter_contract_testsuite.cc.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/snapshot/snapshotter.h"
#include "image/snapshot/volume_testing.h"
#include "image/store/database.h"
#include "sys/temp_dir_testing.h"

namespace berth::image {

struct SnapshotterCase {
  std::string name;     // the driver's, and the test's
  int layers;           // how many are stacked: an image has up to 128
  bool copies_parents;  // a snapshot holds a copy of what is below it
  std::function<Result<std::unique_ptr<Snapshotter>>(const std::string& root, Database& database)>
      open;
  /// A file system that the store is to be on, of this many bytes; empty: whatever $TMPDIR is on.
  std::string file_system = {};
  std::uint64_t volume_bytes = 0;
  /// Programs without which the driver is not there.
  std::vector<std::string> programs = {};
  /// A file shows how many names it has before all of them have been looked up.
  bool counts_links = true;
  /// st_blocks of a file leaves out its holes.
  bool tells_holes = true;
  /// Usage has each name of a file.
  bool counts_names = false;
  /// The host may lack what the driver needs: it says so when it opens.
  bool may_be_missing = false;
};

inline void PrintTo(const SnapshotterCase& value, std::ostream* out) {
  *out << value.name;
}

class SnapshotterSuite : public ::testing::TestWithParam<SnapshotterCase> {
 protected:
  void SetUp() override;

  /// Drops the object, as the end of a process does, and opens the store again.
  void reopen();
  /// The root of what the snapshot's mounts show; its mount ends with the descriptor.
  UniqueFd view(std::string_view key);
  /// Prepares `key` on `parent`, lets `fill` change the tree, and commits it as `name`.
  void layer(const std::string& name, const std::string& parent,
             const std::function<void(int root)>& fill);
  std::string root() const { return base() + "/snapshots"; }
  std::string base() const { return volume_ ? volume_->path() : dir_.path(); }

  sys::TempDir dir_;
  std::unique_ptr<Volume> volume_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Snapshotter> snapshotter_;
};

}  // namespace berth::image
