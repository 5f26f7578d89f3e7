#include "sys/dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "sys/file.h"
#include "sys/temp_dir_testing.h"

namespace berth::sys {
namespace {

TEST(Dir, MakeDirsMakesEveryPartAndRefusesAFile) {
  const TempDir dir;
  MUST(make_dirs(dir.path() + "/a/b/c"));
  MUST(make_dirs(dir.path() + "/a/b/c"));
  MUST(write_file_atomic(dir.fd(), "f", ""));
  EXPECT_FALSE(make_dirs(dir.path() + "/f").ok());
  EXPECT_FALSE(make_dirs(dir.path() + "/f/g").ok());
}

TEST(Dir, ListsTypesAndKeepsTheCallersPosition) {
  const TempDir dir;
  MUST(make_dir_at(dir.fd(), "d"));
  MUST(write_file_atomic(dir.fd(), "f", ""));
  ASSERT_EQ(::symlinkat("nowhere", dir.fd(), "l"), 0);
  for (int round = 0; round < 2; ++round) {
    auto entries = MUST(list_dir(dir.fd()));
    std::ranges::sort(entries, {}, &DirEntry::name);
    ASSERT_EQ(entries.size(), 3U);
    EXPECT_EQ(entries[0].type, DT_DIR);
    EXPECT_EQ(entries[1].type, DT_REG);
    EXPECT_EQ(entries[2].type, DT_LNK);
  }
}

TEST(Dir, RemoveTreeUnlinksSymlinksWithoutFollowingThem) {
  const TempDir dir;
  MUST(make_dirs(dir.path() + "/keep"));
  MUST(make_dirs(dir.path() + "/gone/sub"));
  const UniqueFd keep = MUST(open_dir_at(dir.fd(), "keep"));
  MUST(write_file_atomic(keep.get(), "file", "precious"));
  const UniqueFd gone = MUST(open_dir_at(dir.fd(), "gone"));
  ASSERT_EQ(::symlinkat("../keep", gone.get(), "link"), 0);
  ASSERT_EQ(::symlinkat("keep", dir.fd(), "top"), 0);
  MUST(remove_tree(dir.fd(), "gone"));
  MUST(remove_tree(dir.fd(), "top"));
  MUST(remove_tree(dir.fd(), "absent"));
  EXPECT_EQ(MUST(read_file_at(keep.get(), "file")), "precious");
  EXPECT_EQ(MUST(list_dir(dir.fd())).size(), 1U);
}

TEST(Dir, RemoveTreeIsGivenUpWhenAStopIsRequested) {
  const TempDir dir;
  const UniqueFd top = MUST(make_dir_at(dir.fd(), "top"));
  MUST(write_file_atomic(top.get(), "file", "x"));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(remove_tree(dir.fd(), "top", stop.get_token()).error().kind(), ErrorKind::kConflict);
  EXPECT_TRUE(read_file_at(top.get(), "file").ok());
}

TEST(Dir, RemoveTreeTakesTreesDeeperThanDescriptorsAndPathsAllow) {
  const TempDir dir;
  constexpr int kDepth = 2200;
  UniqueFd at = MUST(make_dir_at(dir.fd(), "top"));
  for (int i = 0; i < kDepth; ++i) {
    MUST(open_at(at.get(), "f", O_WRONLY | O_CREAT, 0600));
    at = MUST(make_dir_at(at.get(), "d"));
  }
  MUST(remove_tree(dir.fd(), "top"));
  EXPECT_TRUE(MUST(list_dir(dir.fd())).empty());
}

TEST(Dir, WalkVisitsFilesBeforeDirectoriesAndLeavesInOrder) {
  const TempDir dir;
  MUST(make_dirs(dir.path() + "/a"));
  MUST(write_file_atomic(dir.fd(), "f", ""));
  MUST(write_file_atomic(MUST(open_dir_at(dir.fd(), "a")).get(), "g", ""));
  struct Trace final : TreeVisitor {
    std::string text;
    Result<void> file(int, const std::string& name, unsigned char) override {
      text += name + " ";
      return {};
    }
    Result<void> enter(int, const std::string& name, int) override {
      text += name + "( ";
      return {};
    }
    Result<void> leave(int, const std::string& name) override {
      text += ")" + name + " ";
      return {};
    }
  } trace;
  MUST(walk_tree(dir.fd(), trace));
  EXPECT_EQ(trace.text, "f a( g )a ");
}

TEST(Dir, RemoveTempFilesClearsOnlyWhatAnAtomicWriteLeft) {
  const TempDir dir;
  MUST(write_file_atomic(dir.fd(), "record", ""));
  MUST(open_at(dir.fd(), std::string(kTempPrefix) + "0123", O_WRONLY | O_CREAT, 0600));
  MUST(remove_temp_files(dir.fd()));
  const auto entries = MUST(list_dir(dir.fd()));
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].name, "record");
}

TEST(Dir, LockIsExclusiveUntilReleased) {
  const TempDir dir;
  {
    const DirLock held = MUST(DirLock::acquire(dir.path()));
    EXPECT_EQ(DirLock::acquire(dir.path()).error().kind(), ErrorKind::kConflict);
  }
  EXPECT_TRUE(DirLock::acquire(dir.path()).ok());
}

}  // namespace
}  // namespace berth::sys
