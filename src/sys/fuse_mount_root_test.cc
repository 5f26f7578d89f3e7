#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "sys/dir.h"
#include "sys/file.h"
#include "sys/fuse_mount.h"
#include "sys/temp_dir_testing.h"

namespace berth::sys {
namespace {

constexpr const char* kProgram = "/usr/bin/fuse-overlayfs";

class FuseMountTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::access(kProgram, X_OK) != 0) GTEST_SKIP() << "fuse-overlayfs is not installed";
    if (::access("/dev/fuse", R_OK) != 0) GTEST_SKIP() << "this host has no /dev/fuse";
    for (const char* sub : {"lower", "upper", "work"}) MUST(make_dir_at(dir_.fd(), sub));
  }
  MountSpec spec() const {
    return {"fuse.fuse-overlayfs",
            kProgram,
            {"lowerdir=" + dir_.path() + "/lower", "upperdir=" + dir_.path() + "/upper",
             "workdir=" + dir_.path() + "/work", "writeback=0"}};
  }
  TempDir dir_;
};

/// How many processes serve the layers of this test.
int servers(const std::string& dir) {
  int count = 0;
  for (const auto& entry : MUST(list_dir(MUST(open_dir("/proc")).get()))) {
    const auto command = read_file("/proc/" + entry.name + "/cmdline");
    if (command.ok() && command->starts_with("fuse-overlayfs") &&
        command->find(dir) != std::string::npos) {
      ++count;
    }
  }
  return count;
}

TEST_F(FuseMountTest, ShowsWhatTheProgramServes) {
  const UniqueFd mount = MUST(mount_fuse_detached(spec()));
  const UniqueFd file = MUST(open_at(mount.get(), "f", O_WRONLY | O_CREAT, 04751));
  ASSERT_EQ(::fchmod(file.get(), 04751), 0);
  MUST(write_all(file.get(), "text"));
  struct stat st{};
  ASSERT_EQ(::fstat(file.get(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777U, 04751U);
  EXPECT_EQ(MUST(read_file_at(dir_.fd(), "upper/f")), "text");
}

TEST_F(FuseMountTest, TheProgramLastsAsLongAsSomebodyHasTheMount) {
  UniqueFd mount = MUST(mount_fuse_detached(spec()));
  UniqueFd directory = MUST(open_at(mount.get(), ".", O_RDONLY | O_DIRECTORY));
  mount.reset();
  EXPECT_TRUE(list_dir(directory.get()).ok());
  EXPECT_EQ(servers(dir_.path()), 1);
  directory.reset();
  // Its end is nobody's to wait for: it is seen by looking.
  while (servers(dir_.path()) != 0) ::sched_yield();
}

TEST_F(FuseMountTest, WhoeverIgnoresItsChildrenCanMountAsWell) {
  const auto before = std::signal(SIGCHLD, SIG_IGN);
  const auto mount = mount_fuse_detached(spec());
  std::signal(SIGCHLD, before);
  EXPECT_TRUE(mount.ok()) << mount.error().message();
}

TEST_F(FuseMountTest, AReadOnlyOneIsReadOnly) {
  MountSpec read_only = spec();
  read_only.options = {read_only.options.front(), "ro"};
  const UniqueFd mount = MUST(mount_fuse_detached(read_only));
  EXPECT_EQ(open_at(mount.get(), "f", O_WRONLY | O_CREAT, 0600).error().os_errno(), EROFS);
}

TEST_F(FuseMountTest, SaysWhatTheProgramSaid) {
  MountSpec wrong = spec();
  wrong.options.front() = "lowerdir=/nowhere/at/all";
  const auto mount = mount_fuse_detached(wrong);
  ASSERT_FALSE(mount.ok());
  EXPECT_NE(mount.error().message().find("/nowhere/at/all"), std::string::npos)
      << mount.error().message();
}

TEST(FuseMount, SaysThatAProgramIsNotThere) {
  if (::access("/dev/fuse", R_OK) != 0) GTEST_SKIP() << "this host has no /dev/fuse";
  const auto mount = mount_fuse_detached({"fuse.x", "/nowhere/x", {}});
  ASSERT_FALSE(mount.ok());
  EXPECT_EQ(mount.error().kind(), ErrorKind::kNotFound);
  EXPECT_FALSE(mount_fuse_detached({"overlay", "/nowhere/x", {}}).ok());
  EXPECT_FALSE(is_fuse("fuse."));
}

}  // namespace
}  // namespace berth::sys
