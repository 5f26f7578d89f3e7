#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "engine/isolation/rootfs_files.h"

namespace berth::engine {
namespace {

namespace fs = std::filesystem;

// Two lower layers, an upper one, and a place to mount them.
class RootfsFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/rootfs-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    base_ = pattern;
    for (const char* name : {"upper", "work", "mount", "low1/etc", "low2/etc"})
      fs::create_directories(base_ / name);
    write("low2/etc/passwd", "from low2\n");
    write("low2/etc/group", "groups\n");
  }
  void TearDown() override { fs::remove_all(base_); }

  void write(const std::string& path, const std::string& text) {
    fs::create_directories((base_ / path).parent_path());
    std::ofstream(base_ / path) << text;
  }
  std::vector<sys::MountSpec> overlay() const {
    const std::string at = base_.string();
    return {{.type = "overlay",
             .source = "overlay",
             .options = {"lowerdir=" + at + "/low1:" + at + "/low2", "upperdir=" + at + "/upper",
                         "workdir=" + at + "/work"}}};
  }
  IdentityFiles read() const {
    auto files = read_identity_files(overlay(), base_ / "mount");
    EXPECT_TRUE(files.ok()) << files.error().message();
    return files.ok() ? *files : IdentityFiles();
  }

  fs::path base_;
};

TEST_F(RootfsFilesTest, UpperLayerWins) {
  EXPECT_EQ(read().passwd, "from low2\n");
  write("low1/etc/passwd", "from low1\n");
  EXPECT_EQ(read().passwd, "from low1\n");
  write("upper/etc/passwd", "from upper\n");
  EXPECT_EQ(read().passwd, "from upper\n");
  EXPECT_EQ(read().group, "groups\n");
}

TEST_F(RootfsFilesTest, WhiteoutAndOpaqueDirectoryHideWhatIsBelow) {
  ASSERT_EQ(::mknod((base_ / "low1/etc/passwd").c_str(), S_IFCHR, makedev(0, 0)), 0);
  EXPECT_EQ(read().passwd, "");
  fs::remove(base_ / "low1/etc/passwd");
  ASSERT_EQ(::setxattr((base_ / "low1/etc").c_str(), "trusted.overlay.opaque", "y", 1, 0), 0);
  EXPECT_EQ(read().passwd, "");
  EXPECT_EQ(read().group, "");
}

TEST_F(RootfsFilesTest, MarksOfFuseOverlayfsHideWhatIsBelow) {
  std::vector<sys::MountSpec> mounts = overlay();
  mounts.front().type = "fuse.fuse-overlayfs";
  mounts.front().source = "/usr/bin/fuse-overlayfs";
  const auto look = [&] { return MUST(read_identity_files(mounts, base_ / "mount")); };
  EXPECT_EQ(look().passwd, "from low2\n");
  write("low1/etc/.wh.passwd", "");
  EXPECT_EQ(look().passwd, "");
  EXPECT_EQ(look().group, "groups\n");
  // A kernel's overlay takes the mark for any file.
  EXPECT_EQ(read().passwd, "from low2\n");
  write("low1/etc/.wh..wh..opq", "");
  EXPECT_EQ(look().group, "");
  fs::remove_all(base_ / "low1/etc");
  write("low1/.wh.etc", "");
  EXPECT_EQ(look().group, "");
  fs::remove(base_ / "low1/.wh.etc");
  if (::access("/usr/bin/fuse-overlayfs", X_OK) != 0) return;
  fs::create_directories(base_ / "low1/etc");
  fs::create_symlink("/data/users", base_ / "low1/etc/passwd");
  write("low2/data/users", "linked\n");
  EXPECT_EQ(look().passwd, "linked\n");
}

TEST_F(RootfsFilesTest, LinkIsResolvedInTheMountedRootAndNotOnTheHost) {
  fs::create_symlink("/data/users", base_ / "low1/etc/passwd");
  write("low2/data/users", "linked\n");
  EXPECT_EQ(read().passwd, "linked\n");
  fs::remove(base_ / "low1/etc/passwd");
  fs::create_symlink("/../../../../../../etc/passwd", base_ / "low1/etc/passwd");
  EXPECT_EQ(read().passwd, "");  // a link to itself, inside
}

TEST_F(RootfsFilesTest, DeviceOrFifoIsNotRead) {
  ASSERT_EQ(::mkfifo((base_ / "upper/passwd").c_str(), 0600), 0);
  fs::create_directories(base_ / "upper/etc");
  ASSERT_EQ(::mkfifo((base_ / "upper/etc/passwd").c_str(), 0600), 0);
  EXPECT_EQ(read().passwd, "");
}

TEST_F(RootfsFilesTest, HugeFileIsRefused) {
  write("upper/etc/passwd", std::string(kMaxIdentityFile + 1, 'x'));
  const auto files = read_identity_files(overlay(), base_ / "mount");
  ASSERT_FALSE(files.ok());
  EXPECT_EQ(files.error().kind(), ErrorKind::kExhausted);
}

TEST_F(RootfsFilesTest, BindMountIsItsOnlyLayer) {
  const auto files = read_identity_files(
      {{.type = "bind", .source = base_ / "low2", .options = {"rbind"}}}, base_ / "mount");
  ASSERT_TRUE(files.ok());
  EXPECT_EQ(files->passwd, "from low2\n");
}

}  // namespace
}  // namespace berth::engine
