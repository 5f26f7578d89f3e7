#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <optional>

#include "image/archive/tar_builder_testing.h"
#include "image/load/unpack.h"
#include "image/snapshot/mounted_testing.h"
#include "image/snapshot/remote/plugin_socket.h"
#include "image/snapshot/remote/plugin_testing.h"
#include "image/snapshot/remote/remote_snapshotter.h"
#include "image/snapshot/snapshotter_testsuite.h"
#include "image/snapshot/tree_testing.h"
#include "sys/dir.h"
#include "sys/file.h"

namespace berth::image {
namespace {

using std::chrono::milliseconds;

/// A plugin beside the store of the test that runs.
Result<std::unique_ptr<Snapshotter>> open_with_plugin(const std::string& root, Database& database) {
  static std::string socket;
  static std::unique_ptr<PluginProcess> plugin;
  if (const std::string wanted = root + ".sock"; wanted != socket) {
    plugin = TRY(PluginProcess::start(wanted));
    socket = wanted;
  }
  return open_remote_snapshotter("copies", socket, root, database);
}

INSTANTIATE_TEST_SUITE_P(Remote, SnapshotterSuite,
                         ::testing::Values(SnapshotterCase{.name = "copies",
                                                           .layers = 12,
                                                           .copies_parents = false,
                                                           .open = open_with_plugin,
                                                           .programs = {"python3"},
                                                           .counts_names = true}),
                         [](const auto& instance) { return instance.param.name; });

class RemoteSnapshotterTest : public ::testing::Test {
 protected:
  void SetUp() override { start({}); }
  void start(const std::vector<std::string>& faults) {
    plugin_.reset();
    auto started = PluginProcess::start(socket(), faults);
    if (!started.ok() && started.error().kind() == ErrorKind::kUnsupported)
      GTEST_SKIP() << started.error().message();
    plugin_ = MUST(std::move(started));
  }
  Result<std::unique_ptr<Snapshotter>> open(milliseconds patience = kPluginPatience) {
    if (!database_) database_ = MUST(Database::open(dir_.path() + "/metadata.db"));
    return open_remote_snapshotter("copies", socket(), dir_.path() + "/s", *database_, patience);
  }
  std::string socket() const { return dir_.path() + "/socket"; }
  /// The layers that the plugin has.
  std::size_t layers() const {
    return names(MUST(sys::open_dir(dir_.path() + "/plugin")).get()).size();
  }
  static Result<UnpackedLayer> unpack(Snapshotter& snapshots, const std::string& parent = {}) {
    TarBuilder tar;
    tar.file("f", std::string(1 << 20, 'x'));
    StringSource source(tar.finish(), 50000);
    return unpack_layer(snapshots, parent, source);
  }

  sys::TempDir dir_;
  std::unique_ptr<PluginProcess> plugin_;
  std::unique_ptr<Database> database_;
};

struct Fault {
  const char* kind;
  const char* says;
};

TEST_F(RemoteSnapshotterTest, WhatIsNoStoragePluginIsNotTaken) {
  for (const Fault& fault :
       {Fault{"no-json", "no JSON"}, Fault{"deep", "no JSON"}, Fault{"list", "no JSON"},
        Fault{"status", "broken inside"}, Fault{"unknown", "does not know"},
        Fault{"number", "Implements"}, Fault{"floods", "bytes"}, Fault{"closes", "copies"},
        Fault{"says", "the pool is full"}, Fault{"dies", "copies"}}) {
    SCOPED_TRACE(fault.kind);
    start({fmt::format("Plugin.Activate={}", fault.kind)});
    const auto opened = open();
    ASSERT_FALSE(opened.ok());
    EXPECT_NE(opened.error().message().find(fault.says), std::string::npos)
        << opened.error().message();
  }
  plugin_.reset();
  EXPECT_EQ(open().error().kind(), ErrorKind::kUnsupported);
}

TEST_F(RemoteSnapshotterTest, OneThatHangsIsWaitedForSoLong) {
  for (const char* fault : {"Plugin.Activate=hangs", "Init=hangs", "Init=trickles"}) {
    SCOPED_TRACE(fault);
    start({fault});
    const auto before = std::chrono::steady_clock::now();
    EXPECT_FALSE(open(milliseconds(1500)).ok());
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(10));
  }
}

TEST_F(RemoteSnapshotterTest, AnErrorLeavesNothing) {
  for (const char* fault : {"CreateReadWrite=says", "CreateReadWrite=closes", "Get=relative",
                            "Get=root", "Get=up", "Get=number", "Get=says"}) {
    SCOPED_TRACE(fault);
    start({fault});
    const auto snapshots = MUST(open());
    const auto prepared = snapshots->prepare("a", "");
    ASSERT_FALSE(prepared.ok());
    EXPECT_NE(prepared.error().message().find("storage plugin copies"), std::string::npos)
        << prepared.error().message();
    EXPECT_EQ(layers(), 0U);
    EXPECT_TRUE(MUST(snapshots->list()).empty());
  }
}

TEST_F(RemoteSnapshotterTest, ALayerThatFailsLeavesNothing) {
  for (const Fault& fault :
       {Fault{"says", "the pool is full"}, Fault{"status", "broken inside"},
        Fault{"unknown", "does not know"}, Fault{"negative", "-1"}, Fault{"huge", "no size"},
        Fault{"closes", "ApplyDiff"}, Fault{"list", ""}, Fault{"hangs", "ApplyDiff"}}) {
    SCOPED_TRACE(fault.kind);
    start({fmt::format("ApplyDiff={}", fault.kind)});
    const auto snapshots = MUST(open(milliseconds(2000)));
    const auto unpacked = unpack(*snapshots);
    ASSERT_FALSE(unpacked.ok());
    EXPECT_NE(unpacked.error().message().find(fault.says), std::string::npos)
        << unpacked.error().message();
    EXPECT_EQ(layers(), 0U);
    EXPECT_TRUE(MUST(snapshots->list()).empty());
  }
}

TEST_F(RemoteSnapshotterTest, SizesThatCannotBeAreRefused) {
  for (const char* fault : {"DiffSize=negative", "DiffSize=huge", "DiffSize=number",
                            "Changes=no-json", "Changes=long"}) {
    SCOPED_TRACE(fault);
    start({fault});
    const auto snapshots = MUST(open());
    MUST(snapshots->prepare("a", ""));
    const auto usage = snapshots->usage("a");
    ASSERT_FALSE(usage.ok());
    EXPECT_LT(usage.error().message().size(), 1000U);
    MUST(snapshots->remove("a"));
  }
}

TEST_F(RemoteSnapshotterTest, OneThatDiesAndIsStartedAgainGoesOn) {
  auto snapshots = MUST(open());
  const UnpackedLayer layer = MUST(unpack(*snapshots));
  MUST(snapshots->commit("base", layer.key));
  plugin_.reset();
  EXPECT_FALSE(snapshots->prepare("a", "base").ok());
  EXPECT_EQ(MUST(snapshots->list()).size(), 1U);
  MUST(snapshots->remove("base"));  // the row is what counts
  start({});
  snapshots.reset();
  snapshots = MUST(open());  // and now the rest
  EXPECT_EQ(layers(), 0U);
  EXPECT_TRUE(names(MUST(sys::open_dir(dir_.path() + "/s")).get()).empty());
}

TEST_F(RemoteSnapshotterTest, WhatACrashLeftIsRemovedFromThePluginToo) {
  auto snapshots = MUST(open());
  MUST(snapshots->prepare("a", ""));
  EXPECT_EQ(layers(), 1U);
  // As if the row had never been written.
  const UniqueFd store = MUST(sys::open_dir(dir_.path() + "/s"));
  ASSERT_EQ(::renameat(store.get(), "1", store.get(), "new-0123"), 0);
  snapshots.reset();
  snapshots = MUST(open());
  EXPECT_EQ(names(store.get()), Names{"1"});  // the row's, made again
  EXPECT_EQ(layers(), 1U);
  MUST(snapshots->remove("a"));
  EXPECT_EQ(layers(), 0U);
}

TEST(PluginSocket, IsFoundInItsPlaces) {
  const sys::TempDir dir;
  const PluginPlaces places{.sockets = dir.path() + "/run", .specs = {dir.path() + "/etc"}};
  MUST(sys::make_dirs(dir.path() + "/run/two"));
  const UniqueFd specs = MUST(sys::make_dir_at(dir.fd(), "etc"));
  const auto put = [&](const char* name, std::string_view text) {
    MUST(sys::write_file_atomic(specs.get(), name, text));
  };
  put("three.spec", "unix:///some/where.sock\n");
  put("four.spec", "tcp://localhost:8080");
  put("five.spec", "unix://relative");
  put("six.spec", std::string(5000, 'x'));
  EXPECT_EQ(MUST(find_plugin_socket("three", places)), "/some/where.sock");
  for (const char* name : {"four", "five"}) {
    EXPECT_EQ(find_plugin_socket(name, places).error().kind(), ErrorKind::kUnsupported);
  }
  EXPECT_FALSE(find_plugin_socket("six", places).ok());
  for (const char* name : {"none", "", "../etc/three", "a/b", ".three"}) {
    EXPECT_EQ(MUST(find_plugin_socket(name, places)), std::nullopt) << name;
  }
  auto started = PluginProcess::start(dir.path() + "/run/one.sock");
  if (!started.ok() && started.error().kind() == ErrorKind::kUnsupported)
    GTEST_SKIP() << started.error().message();
  MUST(std::move(started));
  EXPECT_EQ(MUST(find_plugin_socket("one", places)), dir.path() + "/run/one.sock");
  const auto other = MUST(PluginProcess::start(dir.path() + "/run/two/two.sock"));
  EXPECT_EQ(MUST(find_plugin_socket("two", places)), dir.path() + "/run/two/two.sock");
}

}  // namespace
}  // namespace berth::image
