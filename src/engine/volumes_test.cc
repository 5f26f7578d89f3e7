#include "engine/volumes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "sys/temp_dir_testing.h"

namespace berth::engine {
namespace {

using ::testing::UnorderedElementsAre;

class VolumesTest : public ::testing::Test {
 protected:
  bool exists(const std::string& name) const {
    return std::filesystem::exists(directory_.path() + "/volumes/" + name);
  }

  sys::TempDir directory_;
  Volumes volumes_{directory_.path() + "/volumes"};
};

TEST_F(VolumesTest, NamesFollowDockersRule) {
  for (const char* good : {"ab", "a1", "0x", "A_b.c-d"})
    EXPECT_TRUE(Volumes::valid_name(good)) << good;
  EXPECT_TRUE(Volumes::valid_name(std::string(255, 'a')));
  for (const char* bad :
       {"", "a", ".", "..", ".a", "-a", "_a", "a/b", "a b", "../x", "a\n", "\xC3\xA9x"}) {
    EXPECT_FALSE(Volumes::valid_name(bad)) << bad;
    EXPECT_EQ(volumes_.ensure(bad).error().kind(), ErrorKind::kInvalid) << bad;
    EXPECT_EQ(volumes_.remove_if_anonymous(bad).error().kind(), ErrorKind::kInvalid) << bad;
  }
  EXPECT_FALSE(Volumes::valid_name(std::string(256, 'a')));
  EXPECT_FALSE(Volumes::valid_name(std::string_view("a\0b", 3)));
}

TEST_F(VolumesTest, AreMadeOnFirstUseAndKeepTheirData) {
  const auto path = volumes_.ensure("data");
  ASSERT_TRUE(path.ok()) << path.error().message();
  EXPECT_EQ(*path, volumes_.data_path("data"));
  struct stat st{};
  ASSERT_EQ(::stat(path->c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0755U);
  std::ofstream(*path + "/file") << "text";
  EXPECT_EQ(*volumes_.ensure("data"), *path);
  EXPECT_TRUE(exists("data/_data/file"));
}

TEST_F(VolumesTest, AnonymousOnesHaveANameOfTheirOwnAndGo) {
  const auto first = volumes_.create_anonymous();
  const auto second = volumes_.create_anonymous();
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->size(), 64U);
  EXPECT_NE(*first, *second);
  std::filesystem::create_directories(volumes_.data_path(*first) + "/a/b");
  ASSERT_TRUE(volumes_.remove_if_anonymous(*first).ok());
  EXPECT_FALSE(exists(*first));
  EXPECT_TRUE(exists(*second));
  EXPECT_TRUE(volumes_.remove_if_anonymous(*first).ok()) << "gone already";
}

TEST_F(VolumesTest, NamedOnesStay) {
  ASSERT_TRUE(volumes_.ensure("data").ok());
  ASSERT_TRUE(volumes_.remove_if_anonymous("data").ok());
  EXPECT_TRUE(exists("data/_data"));
  EXPECT_TRUE(volumes_.remove_if_anonymous("never").ok());
}

// One that is named has its marker from the first moment to the last.
TEST_F(VolumesTest, WhatACrashLeftHalfMadeOrHalfRemovedIsNoVolumeAndIsSwept) {
  const auto name = volumes_.create_anonymous();
  ASSERT_TRUE(name.ok() && volumes_.ensure("data").ok());
  std::filesystem::create_directories(directory_.path() + "/volumes/.half-1234/_data/sub");
  EXPECT_THAT(*volumes_.all(), UnorderedElementsAre(*name, "data"));
  EXPECT_THAT(*volumes_.anonymous(), UnorderedElementsAre(*name));
  ASSERT_TRUE(volumes_.sweep().ok());
  EXPECT_FALSE(exists(".half-1234"));
  EXPECT_THAT(*volumes_.all(), UnorderedElementsAre(*name, "data"));
}

TEST_F(VolumesTest, ALinkInAVolumeIsRemovedNotFollowed) {
  std::ofstream(directory_.path() + "/victim") << "precious";
  const auto name = volumes_.create_anonymous();
  ASSERT_TRUE(name.ok());
  std::filesystem::create_symlink(directory_.path(), volumes_.data_path(*name) + "/out");
  ASSERT_TRUE(volumes_.remove_if_anonymous(*name).ok());
  EXPECT_TRUE(std::filesystem::exists(directory_.path() + "/victim"));
}

}  // namespace
}  // namespace berth::engine
