#include "image/snapshot/snapshotter_testsuite.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <thread>

#include "image/snapshot/mounted_testing.h"
#include "image/snapshot/tree_testing.h"
#include "sys/dir.h"
#include "sys/file.h"

namespace berth::image {

// Test programs without a driver link this file too.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(SnapshotterSuite);

void SnapshotterSuite::SetUp() {
  for (const std::string& program : GetParam().programs) {
    if (!has_program(program)) GTEST_SKIP() << program << " is not installed";
  }
  if (!GetParam().file_system.empty()) {
    auto made = Volume::make(dir_.path(), GetParam().file_system, GetParam().volume_bytes);
    if (!made.ok() && made.error().kind() == ErrorKind::kUnsupported) {
      GTEST_SKIP() << made.error().message();
    }
    volume_ = MUST(std::move(made));
  }
  if (GetParam().may_be_missing) {
    const auto database = MUST(Database::open(base() + "/metadata.db"));
    const auto opened = GetParam().open(root(), *database);
    if (!opened.ok() && opened.error().kind() == ErrorKind::kUnsupported)
      GTEST_SKIP() << opened.error().message();
  }
  reopen();
}

void SnapshotterSuite::reopen() {
  snapshotter_.reset();
  database_.reset();
  database_ = MUST(Database::open(base() + "/metadata.db"));
  snapshotter_ = MUST(GetParam().open(root(), *database_));
}

UniqueFd SnapshotterSuite::view(std::string_view key) {
  return MUST(mount_detached(MUST(snapshotter_->mounts(key))));
}

void SnapshotterSuite::layer(const std::string& name, const std::string& parent,
                             const std::function<void(int root)>& fill) {
  const std::string key = "making-" + name;
  const UniqueFd tree = MUST(mount_detached(MUST(snapshotter_->prepare(key, parent))));
  fill(tree.get());
  MUST(snapshotter_->commit(name, key));
}

TEST_P(SnapshotterSuite, ANewSnapshotIsEmptyAndWritable) {
  const UniqueFd tree = MUST(mount_detached(MUST(snapshotter_->prepare("a", ""))));
  EXPECT_EQ(names(tree.get()), Names{});
  write(tree.get(), "f", "1");
  EXPECT_EQ(read(view("a").get(), "f"), "1");
  const SnapshotInfo info = MUST(snapshotter_->stat("a"));
  EXPECT_EQ(info.key, "a");
  EXPECT_EQ(info.parent, "");
  EXPECT_EQ(info.kind, SnapshotKind::kActive);
}

TEST_P(SnapshotterSuite, ChildrenSeeTheirParentAndDoNotChangeIt) {
  layer("base", "", [](int root) {
    make_dir(root, "d");
    write(root, "d/f", "base");
  });
  layer("top", "base", [](int root) {
    EXPECT_EQ(read(root, "d/f"), "base");
    write(root, "d/f", "top");
    write(root, "d/g", "new");
  });
  EXPECT_EQ(read(view("top").get(), "d/f"), "top");
  EXPECT_EQ(read(view("base").get(), "d/f"), "base");
  EXPECT_EQ(names(view("base").get(), "d"), Names{"f"});
  EXPECT_EQ(MUST(snapshotter_->stat("top")).parent, "base");
  EXPECT_EQ(MUST(snapshotter_->stat("top")).kind, SnapshotKind::kCommitted);
}

TEST_P(SnapshotterSuite, SiblingsDoNotSeeEachOther) {
  layer("base", "", [](int root) { write(root, "f", "base"); });
  const UniqueFd one = MUST(mount_detached(MUST(snapshotter_->prepare("one", "base"))));
  const UniqueFd two = MUST(mount_detached(MUST(snapshotter_->prepare("two", "base"))));
  write(one.get(), "f", "one");
  EXPECT_EQ(read(two.get(), "f"), "base");
}

TEST_P(SnapshotterSuite, DeletionsHideWhatIsBelow) {
  layer("base", "", [](int root) {
    write(root, "f", "1");
    make_dir(root, "d");
    write(root, "d/old", "1");
    make_dir(root, "gone");
    write(root, "gone/f", "1");
  });
  layer("top", "base", [](int root) {
    ASSERT_EQ(::unlinkat(root, "f", 0), 0);
    MUST(sys::remove_tree(root, "gone"));
    // A directory that is made anew shows nothing of the old one.
    MUST(sys::remove_tree(root, "d"));
    make_dir(root, "d");
    write(root, "d/new", "2");
  });
  layer("above", "top", [](int root) { write(root, "f", "back"); });
  const UniqueFd top = view("top");
  EXPECT_EQ(names(top.get()), Names{"d"});
  EXPECT_EQ(names(top.get(), "d"), Names{"new"});
  EXPECT_EQ(read(view("above").get(), "f"), "back");
}

TEST_P(SnapshotterSuite, KindsReplaceEachOther) {
  layer("base", "", [](int root) {
    make_dir(root, "x");
    write(root, "x/f", "1");
    write(root, "y", "1");
  });
  layer("top", "base", [](int root) {
    MUST(sys::remove_tree(root, "x"));
    write(root, "x", "file");
    ASSERT_EQ(::unlinkat(root, "y", 0), 0);
    make_dir(root, "y");
    write(root, "y/f", "2");
  });
  const UniqueFd top = view("top");
  EXPECT_EQ(read(top.get(), "x"), "file");
  EXPECT_EQ(read(top.get(), "y/f"), "2");
}

TEST_P(SnapshotterSuite, RenamesAcrossLayersKeepTheContent) {
  layer("base", "", [](int root) {
    write(root, "old", "content");
    make_dir(root, "from");
    make_dir(root, "to");
    write(root, "from/f", "moved");
  });
  layer("top", "base", [](int root) {
    ASSERT_EQ(::renameat(root, "old", root, "new"), 0);
    ASSERT_EQ(::renameat(root, "from/f", root, "to/f"), 0);
  });
  const UniqueFd top = view("top");
  EXPECT_EQ(names(top.get()), (Names{"new", "from", "to"}));
  EXPECT_EQ(read(top.get(), "new"), "content");
  EXPECT_EQ(read(top.get(), "to/f"), "moved");
  EXPECT_EQ(names(top.get(), "from"), Names{});
}

TEST_P(SnapshotterSuite, KeepsOwnersModesTimesLinksAndAttributes) {
  layer("base", "", [](int root) {
    write(root, "f", "x");
    ASSERT_EQ(::fchownat(root, "f", 12, 34, 0), 0);
    ASSERT_EQ(::fchmodat(root, "f", 04751, 0), 0);
    ASSERT_EQ(::linkat(root, "f", root, "h", 0), 0);
    ASSERT_EQ(::symlinkat("../x", root, "l"), 0);
    ASSERT_EQ(::mknodat(root, "null", S_IFCHR | 0666, makedev(1, 3)), 0);
    ASSERT_EQ(::mknodat(root, "pipe", S_IFIFO | 0600, 0), 0);
    const UniqueFd f = MUST(sys::open_at(root, "f", O_RDONLY));
    ASSERT_EQ(::fsetxattr(f.get(), "user.note", "hello", 5, 0), 0);
    const timespec times[2] = {{1000, 5}, {2000, 7}};
    ASSERT_EQ(::futimens(f.get(), times), 0);
    make_dir(root, "d");
    ASSERT_EQ(::linkat(root, "f", root, "d/h2", 0), 0);
    ASSERT_EQ(::utimensat(root, "d", times, 0), 0);
  });
  MUST(snapshotter_->prepare("top", "base"));
  const UniqueFd top = view("top");
  const auto f = stat_of(top.get(), "f");
  EXPECT_EQ(f.st_uid, 12U);
  EXPECT_EQ(f.st_gid, 34U);
  EXPECT_EQ(f.st_mode & 07777U, 04751U);
  EXPECT_TRUE(f.st_nlink == 3U || !GetParam().counts_links) << f.st_nlink;
  EXPECT_EQ(f.st_mtim.tv_sec, 2000);
  EXPECT_EQ(f.st_mtim.tv_nsec, 7);
  EXPECT_EQ(stat_of(top.get(), "h").st_ino, f.st_ino);
  EXPECT_EQ(stat_of(top.get(), "d/h2").st_ino, f.st_ino);
  EXPECT_EQ(stat_of(top.get(), "d").st_mtim.tv_sec, 2000);
  EXPECT_TRUE(S_ISLNK(stat_of(top.get(), "l").st_mode));
  EXPECT_EQ(stat_of(top.get(), "null").st_rdev, makedev(1, 3));
  EXPECT_TRUE(S_ISFIFO(stat_of(top.get(), "pipe").st_mode));
  char value[16];
  const UniqueFd opened = MUST(sys::open_at(top.get(), "f", O_RDONLY));
  EXPECT_EQ(::fgetxattr(opened.get(), "user.note", value, sizeof value), 5);
}

TEST_P(SnapshotterSuite, SparseFilesStaySparse) {
  constexpr off_t kSize = 64 << 20;
  layer("base", "", [](int root) {
    const UniqueFd f = MUST(sys::open_at(root, "f", O_WRONLY | O_CREAT, 0644));
    ASSERT_EQ(::ftruncate(f.get(), kSize), 0);
    ASSERT_EQ(::pwrite(f.get(), "x", 1, kSize / 2), 1);
  });
  MUST(snapshotter_->prepare("top", "base"));
  const auto f = stat_of(view("top").get(), "f");
  EXPECT_EQ(f.st_size, kSize);
  EXPECT_TRUE(!GetParam().tells_holes || f.st_blocks * 512 < 1 << 20) << f.st_blocks;
  EXPECT_LT(MUST(snapshotter_->usage("base")).bytes, 1U << 20);
}

TEST_P(SnapshotterSuite, TheRootDirectoryIsPartOfTheTree) {
  layer("base", "", [](int root) {
    ASSERT_EQ(::fchownat(root, ".", 3, 4, 0), 0);
    ASSERT_EQ(::fchmodat(root, ".", 01750, 0), 0);
  });
  MUST(snapshotter_->prepare("top", "base"));
  const auto root = stat_of(view("top").get(), ".");
  EXPECT_EQ(root.st_uid, 3U);
  EXPECT_EQ(root.st_gid, 4U);
  EXPECT_EQ(root.st_mode & 07777U, 01750U);
}

TEST_P(SnapshotterSuite, CommittedSnapshotsAreReadOnly) {
  layer("base", "", [](int root) { write(root, "f", "1"); });
  layer("top", "base", [](int root) { write(root, "g", "1"); });
  for (const char* key : {"base", "top"}) {
    const UniqueFd tree = view(key);
    EXPECT_EQ(sys::open_at(tree.get(), "f", O_WRONLY).error().os_errno(), EROFS);
    EXPECT_EQ(sys::open_at(tree.get(), "new", O_WRONLY | O_CREAT, 0600).error().os_errno(), EROFS);
  }
}

TEST_P(SnapshotterSuite, ErrorsSayWhichRuleWasBroken) {
  const auto kind = [](const auto& result) {
    EXPECT_FALSE(result.ok());
    return result.ok() ? ErrorKind::kInternal : result.error().kind();
  };
  layer("base", "", [](int) {});
  MUST(snapshotter_->prepare("active", "base"));
  EXPECT_EQ(kind(snapshotter_->prepare("active", "")), ErrorKind::kConflict);
  EXPECT_EQ(kind(snapshotter_->prepare("base", "")), ErrorKind::kConflict);
  EXPECT_EQ(kind(snapshotter_->prepare("x", "nothing")), ErrorKind::kNotFound);
  EXPECT_EQ(kind(snapshotter_->prepare("x", "active")), ErrorKind::kInvalid);
  for (const std::string& bad :
       {std::string(), std::string("a/b"), std::string("a b"), std::string(256, 'a')}) {
    EXPECT_EQ(kind(snapshotter_->prepare(bad, "")), ErrorKind::kInvalid) << bad;
    EXPECT_EQ(kind(snapshotter_->commit(bad, "active")), ErrorKind::kInvalid) << bad;
  }
  EXPECT_EQ(kind(snapshotter_->commit("base", "active")), ErrorKind::kConflict);
  EXPECT_EQ(kind(snapshotter_->commit("new", "base")), ErrorKind::kInvalid);
  EXPECT_EQ(kind(snapshotter_->commit("new", "nothing")), ErrorKind::kNotFound);
  EXPECT_EQ(kind(snapshotter_->remove("base")), ErrorKind::kConflict);
  EXPECT_EQ(kind(snapshotter_->remove("nothing")), ErrorKind::kNotFound);
  EXPECT_EQ(kind(snapshotter_->mounts("nothing")), ErrorKind::kNotFound);
  EXPECT_EQ(kind(snapshotter_->stat("nothing")), ErrorKind::kNotFound);
  EXPECT_EQ(kind(snapshotter_->usage("nothing")), ErrorKind::kNotFound);
  // Nothing of the failed calls is left: rows of two snapshots, directories of two snapshots.
  EXPECT_EQ(MUST(snapshotter_->list()).size(), 2U);
  EXPECT_EQ(names(MUST(sys::open_dir(root())).get()).size(), 2U);
}

TEST_P(SnapshotterSuite, RemoveTakesChildrenFirstAndLeavesNoDirectory) {
  layer("base", "", [](int root) { write(root, "f", "1"); });
  MUST(snapshotter_->prepare("top", "base"));
  MUST(snapshotter_->remove("top"));
  MUST(snapshotter_->remove("base"));
  EXPECT_TRUE(MUST(snapshotter_->list()).empty());
  EXPECT_EQ(names(MUST(sys::open_dir(root())).get()), Names{});
  MUST(snapshotter_->prepare("top", ""));  // the key is free again
}

TEST_P(SnapshotterSuite, UsageCountsWhatTheSnapshotHolds) {
  const auto before = [&] {
    MUST(snapshotter_->prepare("a", ""));
    return MUST(snapshotter_->usage("a"));
  }();
  {
    const UniqueFd tree = view("a");
    write(tree.get(), "f", std::string(1 << 20, 'x'));
    ASSERT_EQ(::linkat(tree.get(), "f", tree.get(), "h", 0), 0);
    MUST(sys::sync(MUST(sys::open_at(tree.get(), "f", O_RDONLY)).get()));  // delayed allocation
  }
  const auto after = MUST(snapshotter_->usage("a"));
  EXPECT_EQ(after.inodes, before.inodes + (GetParam().counts_names ? 2U : 1U));
  EXPECT_GE(after.bytes, before.bytes + (1U << 20));
  MUST(snapshotter_->commit("b", "a"));
  EXPECT_EQ(MUST(snapshotter_->usage("b")).inodes, after.inodes);
}

TEST_P(SnapshotterSuite, EverythingOutlivesTheObject) {
  layer("base", "", [](int root) { write(root, "f", "1"); });
  MUST(snapshotter_->prepare("top", "base"));
  write(view("top").get(), "g", "2");
  reopen();
  EXPECT_EQ(MUST(snapshotter_->list()).size(), 2U);
  EXPECT_EQ(read(view("top").get(), "f"), "1");
  EXPECT_EQ(read(view("top").get(), "g"), "2");
  MUST(snapshotter_->commit("done", "top"));
  reopen();
  EXPECT_EQ(MUST(snapshotter_->stat("done")).kind, SnapshotKind::kCommitted);
  EXPECT_EQ(MUST(snapshotter_->stat("done")).parent, "base");
}

TEST_P(SnapshotterSuite, OpeningRepairsWhatACrashLeft) {
  layer("base", "", [](int root) { write(root, "f", "1"); });
  // Crashes in prepare(): before and after the directory got its number; in remove(): after the row
  // went.
  MUST(sys::make_dirs(root() + "/new-0123456789abcdef/fs/half"));
  MUST(sys::make_dirs(root() + "/77/fs/half"));
  // A power cut in prepare(): the row is there, the directory never reached the disk.
  const UniqueFd dir = MUST(sys::open_dir(root()));
  const Names before = names(dir.get());
  MUST(snapshotter_->prepare("lost", "base"));
  Names added = names(dir.get());
  for (const auto& name : before) added.erase(name);
  ASSERT_EQ(added.size(), 1U);
  MUST(sys::remove_tree(dir.get(), *added.begin()));
  reopen();
  EXPECT_EQ(names(dir.get()).size(), 2U);
  EXPECT_EQ(read(view("lost").get(), "f"), "1");
  write(view("lost").get(), "g", "2");
  EXPECT_EQ(read(view("lost").get(), "g"), "2");
}

TEST_P(SnapshotterSuite, ManyPrepareAtOnce) {
  layer("base", "", [](int root) { write(root, "f", "1"); });
  constexpr int kThreads = 4;
  constexpr int kEach = 5;
  std::atomic<int> won = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          EXPECT_TRUE(snapshotter_->prepare(fmt::format("t{}-{}", t, i), "base").ok());
          if (snapshotter_->prepare(fmt::format("contested-{}", i), "base").ok()) ++won;
        }
      });
    }
  }
  EXPECT_EQ(won, kEach);
  EXPECT_EQ(MUST(snapshotter_->list()).size(), std::size_t{kThreads * kEach + kEach + 1});
  EXPECT_EQ(names(MUST(sys::open_dir(root())).get()).size(),
            std::size_t{kThreads * kEach + kEach + 1});
}

TEST_P(SnapshotterSuite, AnImagesWorthOfLayersStacks) {
  const int layers = GetParam().layers;
  std::string parent;
  for (int i = 0; i < layers; ++i) {
    const std::string name = fmt::format("layer-{}", i);
    layer(name, parent, [&](int root) {
      write(root, fmt::format("f{}", i), "x");
      write(root, "last", name);
    });
    parent = name;
  }
  MUST(snapshotter_->prepare("container", parent));
  const UniqueFd tree = view("container");
  EXPECT_EQ(names(tree.get()).size(), static_cast<std::size_t>(layers) + 1);
  EXPECT_EQ(read(tree.get(), "last"), parent);
}

}  // namespace berth::image
