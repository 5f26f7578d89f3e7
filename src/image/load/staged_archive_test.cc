#include "image/load/staged_archive.h"

#include <gtest/gtest.h>

#include "image/archive/tar_builder_testing.h"
#include "sys/dir.h"
#include "sys/temp_dir_testing.h"

namespace berth::image {
namespace {

class StagedArchiveTest : public ::testing::Test {
 protected:
  Result<StagedArchive> read(std::string bytes, const StagingLimits& limits = {}) {
    StringSource source(std::move(bytes));
    return StagedArchive::read(source, dir_.fd(), limits);
  }
  /// How many files lie in the one staging directory that there is.
  std::size_t stored() {
    const auto dirs = MUST(sys::list_dir(dir_.fd()));
    if (dirs.size() != 1) return SIZE_MAX;
    return MUST(sys::list_dir(MUST(sys::open_dir_at(dir_.fd(), dirs.front().name)).get())).size();
  }

  sys::TempDir dir_;
};

TEST_F(StagedArchiveTest, OfFilesWithOneNameTheLastStaysAndTakesSpaceAlone) {
  TarBuilder tar;
  for (int i = 0; i < 50; ++i) tar.file("x", std::to_string(i));
  tar.file("y", "other").file("z", "").symlink("z", "y");
  const auto staged = MUST(read(tar.finish()));
  EXPECT_EQ(MUST(staged.text("x", 10)), "49");
  EXPECT_EQ(MUST(staged.text("z", 10)), "other");
  EXPECT_EQ(stored(), 2U);
}

TEST_F(StagedArchiveTest, CapsNamesEntriesAndBytes) {
  const auto refusal = [&](TarBuilder& tar, const StagingLimits& limits) {
    const auto staged = read(tar.finish(), limits);
    EXPECT_FALSE(staged.ok());
    EXPECT_TRUE(MUST(sys::list_dir(dir_.fd())).empty());  // nothing stays of it
    return staged.ok() ? ErrorKind::kInternal : staged.error().kind();
  };
  TarBuilder names;
  names.file("a", "").file("b", "").symlink("c", "a");
  EXPECT_EQ(refusal(names, {.max_files = 2}), ErrorKind::kExhausted);
  TarBuilder repeated;
  for (int i = 0; i < 6; ++i) repeated.file("x", "");
  EXPECT_EQ(refusal(repeated, {.max_entries = 5}), ErrorKind::kExhausted);
  TarBuilder directories;
  for (int i = 0; i < 6; ++i) directories.directory("d");
  EXPECT_EQ(refusal(directories, {.max_entries = 5}), ErrorKind::kExhausted);
  TarBuilder bytes;
  bytes.file("x", "1234").file("x", "5678");
  EXPECT_EQ(refusal(bytes, {.max_bytes = 7}), ErrorKind::kExhausted);
}

TEST_F(StagedArchiveTest, ReadsTheSourceToItsEnd) {
  TarBuilder tar;
  tar.file("x", "1");
  StringSource source(tar.finish() + std::string(1U << 20, '\0'));
  MUST(StagedArchive::read(source, dir_.fd()));
  std::byte left[1];
  EXPECT_EQ(MUST(source.read(left)), 0U);
}

}  // namespace
}  // namespace berth::image
