#include "sys/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/dir.h"
#include "sys/temp_dir_testing.h"

namespace berth::sys {
namespace {

TEST(File, ReadsWholeFilesAndRefusesLargerOnes) {
  const TempDir dir;
  MUST(write_file_atomic(dir.fd(), "f", std::string(40000, 'x')));
  EXPECT_EQ(MUST(read_file(dir.path() + "/f")).size(), 40000U);
  EXPECT_EQ(MUST(read_file(dir.path() + "/f", 40000)).size(), 40000U);
  EXPECT_EQ(read_file(dir.path() + "/f", 39999).error().kind(), ErrorKind::kExhausted);
  EXPECT_EQ(read_file(dir.path() + "/none").error().kind(), ErrorKind::kNotFound);
}

TEST(File, AtomicWriteReplacesAndSetsTheModeWhateverTheUmask) {
  const TempDir dir;
  MUST(write_file_atomic(dir.fd(), "f", "old"));
  const mode_t before = ::umask(077);
  MUST(write_file_atomic(dir.fd(), "f", "new", 0644));
  ::umask(before);
  EXPECT_EQ(MUST(read_file_at(dir.fd(), "f")), "new");
  struct stat st{};
  ASSERT_EQ(::fstatat(dir.fd(), "f", &st, 0), 0);
  EXPECT_EQ(st.st_mode & 07777U, 0644U);
  EXPECT_EQ(MUST(list_dir(dir.fd())).size(), 1U);
}

TEST(File, AtomicWriteThatFailsLeavesNoTemporaryFile) {
  const TempDir dir;
  ASSERT_EQ(::mkdirat(dir.fd(), "d", 0755), 0);
  EXPECT_FALSE(write_file_atomic(dir.fd(), "d", "x").ok());
  EXPECT_EQ(MUST(list_dir(dir.fd())).size(), 1U);
}

TEST(File, OpenInRootKeepsAbsoluteLinksAndDotDotInside) {
  const TempDir dir;
  ASSERT_EQ(::mkdirat(dir.fd(), "etc", 0755), 0);
  MUST(write_file_atomic(MUST(open_dir_at(dir.fd(), "etc")).get(), "hostname", "inside"));
  ASSERT_EQ(::symlinkat("/etc", dir.fd(), "link"), 0);
  for (const char* path :
       {"etc/hostname", "/etc/hostname", "link/hostname", "../../etc/hostname"}) {
    const UniqueFd fd = MUST(open_in_root(dir.fd(), path, O_RDONLY));
    EXPECT_EQ(MUST(read_all(fd.get())), "inside") << path;
  }
}

TEST(File, OpenBeneathFollowsNothing) {
  const TempDir dir;
  ASSERT_EQ(::mkdirat(dir.fd(), "d", 0755), 0);
  ASSERT_EQ(::symlinkat("d", dir.fd(), "link"), 0);
  EXPECT_TRUE(open_beneath(dir.fd(), "d", O_RDONLY).ok());
  EXPECT_EQ(open_beneath(dir.fd(), "link", O_RDONLY).error().os_errno(), ELOOP);
  EXPECT_EQ(open_beneath(dir.fd(), "../x", O_RDONLY).error().os_errno(), EXDEV);
}

TEST(File, FdSourceStreamsToTheEnd) {
  const TempDir dir;
  MUST(write_file_atomic(dir.fd(), "f", "abc"));
  FdSource source(MUST(open_at(dir.fd(), "f", O_RDONLY)));
  std::byte two[2];
  EXPECT_EQ(MUST(source.read(two)), 2U);
  EXPECT_EQ(MUST(source.read(two)), 1U);
  EXPECT_EQ(MUST(source.read(two)), 0U);
}

}  // namespace
}  // namespace berth::sys
