#include "sys/find_program.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>

#include "sys/dir.h"
#include "sys/file.h"
#include "sys/temp_dir_testing.h"

namespace berth::sys {
namespace {

class FindProgramTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const char* path = std::getenv("PATH")) before_ = path;
    for (const char* sub : {"one", "two"}) MUST(make_dir_at(dir_.fd(), sub));
  }
  void TearDown() override { before_ ? ::setenv("PATH", before_->c_str(), 1) : ::unsetenv("PATH"); }
  void set_path(const std::string& path) { ::setenv("PATH", path.c_str(), 1); }
  std::string in(const std::string& sub) const { return dir_.path() + "/" + sub; }
  void put(const std::string& path, mode_t mode) {
    MUST(open_at(dir_.fd(), path, O_WRONLY | O_CREAT, mode));
  }

  TempDir dir_;
  std::optional<std::string> before_;
};

TEST_F(FindProgramTest, TakesTheFirstThatMayBeRun) {
  put("one/tool", 0644);
  put("two/tool", 0755);
  MUST(make_dir_at(dir_.fd(), "one/other"));  // searchable, and no program
  set_path(in("absent") + "::" + in("one") + ":" + in("two"));
  EXPECT_EQ(MUST(find_program("tool")), in("two/tool"));
  EXPECT_EQ(find_program("other").error().kind(), ErrorKind::kNotFound);
  ASSERT_EQ(::chmod(in("one/tool").c_str(), 0755), 0);
  EXPECT_EQ(MUST(find_program("tool")), in("one/tool"));
}

TEST_F(FindProgramTest, LeavesTheWorkingDirectoryAlone) {
  put("one/tool", 0755);
  ASSERT_EQ(::chdir(in("one").c_str()), 0);
  set_path(".::");
  EXPECT_EQ(find_program("tool").error().kind(), ErrorKind::kNotFound);
  ASSERT_EQ(::chdir("/"), 0);
}

TEST_F(FindProgramTest, LooksInTheUsualPlacesWithoutAPath) {
  ::unsetenv("PATH");
  EXPECT_TRUE(find_program("sh").ok());
}

}  // namespace
}  // namespace berth::sys
