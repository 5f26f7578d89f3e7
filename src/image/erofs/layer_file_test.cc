#include "image/erofs/layer_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "image/archive/tar_builder_testing.h"
#include "image/erofs/writer.h"
#include "image/snapshot/volume_testing.h"
#include "sys/file.h"
#include "sys/temp_dir_testing.h"

namespace berth::image::erofs {
namespace {

class LayerFileTest : public ::testing::Test {
 protected:
  Result<AppliedLayer> write(std::string tar, const ApplyLimits& limits = {},
                             std::size_t max_tree_bytes = kMaxTreeBytes) {
    StringSource source(std::move(tar), 4000);
    file_ = MUST(sys::open_file(path(), O_RDWR | O_CREAT | O_TRUNC, 0600));
    return write_archive(source, -1, file_.get(), limits, max_tree_bytes);
  }
  ErrorKind refusal(TarBuilder& tar, const ApplyLimits& limits = {},
                    std::size_t max_tree_bytes = kMaxTreeBytes) {
    const auto written = write(tar.finish(), limits, max_tree_bytes);
    EXPECT_FALSE(written.ok());
    return written.ok() ? ErrorKind::kInternal : written.error().kind();
  }
  std::string path() const { return dir_.path() + "/layer"; }
  std::string bytes() const { return MUST(sys::read_file(path(), 64U << 20)); }
  /// What the file system's own program says of it.
  void check() const {
    if (!has_program("fsck.erofs")) return;
    const std::string command = "fsck.erofs --extract=" + dir_.path() + "/out --overwrite " +
                                path() + " >" + dir_.path() + "/said 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0) << MUST(sys::read_file(dir_.path() + "/said"));
  }

  sys::TempDir dir_;
  UniqueFd file_;
};

void fill(TarBuilder& tar) {
  tar.directory("./", {.mode = 0711, .mtime = 500});
  tar.directory("d", {.mode = 01777, .uid = 70000, .gid = 8, .mtime = -1000});
  // Around what is behind an inode and what is not, with attributes of all kinds of lengths.
  for (const std::size_t size : {0U, 1U, 4032U, 4033U, 4095U, 4096U, 4097U, 8192U, 70000U}) {
    for (const std::size_t note : {0U, 1U, 100U, 5000U}) {
      NodeOptions options{.mode = 04755};
      if (note > 0) options.xattrs = {{"user.note", std::string(note, 'n')}};
      tar.file(fmt::format("d/{}-{}", size, note), std::string(size, 'x'), options);
    }
  }
  for (int i = 0; i < 3000; ++i) tar.file(fmt::format("many/{}", i), fmt::format("{}", i));
  tar.symlink("d/l", "../outside").symlink("d/long", std::string(4000, 'l'));
  tar.hardlink("d/h", "d/1-0").hardlink("h2", "d/h").fifo("d/p");
  tar.device("d/null", S_IFCHR, 1, 3).device("d/b", S_IFBLK, 259, 70000);
  tar.sparse("d/sparse", 10 << 20, "end");
  for (const char* name : {".!between", "-rf", "...", "..x", ".x", " "}) tar.file(name, name);
}

TEST_F(LayerFileTest, IsAnErofs) {
  TarBuilder tar;
  fill(tar);
  const auto written = MUST(write(tar.finish()));
  EXPECT_GT(written.entries, 3000U);
  // Entries, the directory that is implied, and no second inode for hard links.
  EXPECT_EQ(MUST(count_inodes(file_.get())), written.entries + 1 - 2);
  check();
  struct stat st{};
  ASSERT_EQ(::fstat(file_.get(), &st), 0);
  EXPECT_GT(st.st_size, 10 << 20);
  EXPECT_LT(st.st_blocks * 512, 5 << 20);  // holes stay holes
}

TEST_F(LayerFileTest, EqualLayersMakeEqualFiles) {
  TarBuilder one;
  fill(one);
  MUST(write(one.finish()));
  const std::string first = bytes();
  TarBuilder other;
  fill(other);
  MUST(write(other.finish()));
  EXPECT_TRUE(bytes() == first);
}

TEST_F(LayerFileTest, AnEmptyLayerIsOne) {
  TarBuilder tar;
  MUST(write(tar.finish()));
  EXPECT_EQ(MUST(count_inodes(file_.get())), 1U);
  check();
}

TEST_F(LayerFileTest, WhatIsReplacedIsGone) {
  TarBuilder tar;
  tar.directory("d").file("d/f", "old").file("d/f", "new").file("x", "");
  tar.directory("x").file("x/y", "").file("d", "a file now");
  MUST(write(tar.finish()));
  check();
  if (!has_program("fsck.erofs")) GTEST_SKIP() << "fsck.erofs is not installed";
  EXPECT_EQ(MUST(sys::read_file(dir_.path() + "/out/d")), "a file now");
  EXPECT_EQ(MUST(sys::read_file(dir_.path() + "/out/x/y")), "");
}

TEST_F(LayerFileTest, NamesThatLeaveOrCannotBeAreRefused) {
  for (const char* name : {"../escaped", "a/../../escaped", ".wh...", "f/below-a-file"}) {
    TarBuilder tar;
    tar.file("f", "").file(name, "");
    EXPECT_EQ(refusal(tar), ErrorKind::kInvalid) << name;
  }
  for (const std::string& name : {std::string(256, 'n'), std::string(256, 'n') + "/f"}) {
    TarBuilder tar;
    tar.file(name, "");
    EXPECT_EQ(refusal(tar), ErrorKind::kInvalid);
  }
  TarBuilder circle;
  circle.symlink("a", "b").symlink("b", "a").file("a/f", "");
  EXPECT_EQ(refusal(circle), ErrorKind::kInvalid);
  TarBuilder growing;
  growing.symlink("a", std::string(2000, 'x') + "/../a/a").file("a/f", "");
  EXPECT_EQ(refusal(growing), ErrorKind::kInvalid);
}

TEST_F(LayerFileTest, HardLinksToNothingAndToDirectoriesAreRefused) {
  for (const char* target : {"nothing", "d", "../d/f"}) {
    TarBuilder tar;
    tar.directory("d").file("d/f", "").hardlink("h", target);
    EXPECT_EQ(refusal(tar), ErrorKind::kInvalid) << target;
  }
}

TEST_F(LayerFileTest, DevicesThatCannotBeAreRefused) {
  for (const auto& [major, minor] : {std::pair(0U, 0U), {4096U, 1U}, {1U, 1U << 20}}) {
    TarBuilder tar;
    tar.device("c", S_IFCHR, major, minor);
    EXPECT_EQ(refusal(tar), ErrorKind::kInvalid) << major << ":" << minor;
  }
}

TEST_F(LayerFileTest, AttributesThatTheKernelWouldRefuseAreRefused) {
  const std::string empty_acl("\2\0\0\0", 4);
  for (const auto& [name, value] : std::initializer_list<std::pair<std::string, std::string>>{
           {"system.posix_acl_access", "nonsense"},
           {"system.posix_acl_access", std::string("\1\0\0\0", 4)},
           {"system.posix_acl_default", empty_acl + std::string("\3\0\7\0\0\0\0\0", 8)},
           {"security.capability", std::string(20, '\0')},
           {"security.capability", ""},
           {"user." + std::string(256, 'n'), ""},
           {"user.", ""}}) {
    TarBuilder tar;
    tar.file("f", "", {.xattrs = {{name, value}}});
    EXPECT_EQ(refusal(tar), ErrorKind::kInvalid) << name;
  }
  TarBuilder good;
  good.file("f", "",
            {.xattrs = {{"system.posix_acl_access",
                         empty_acl + std::string("\1\0\7\0\377\377\377\377", 8)},
                        {"security.selinux", "not for an image to say"},
                        {"trusted.overlay.redirect", "/elsewhere"}}});
  MUST(write(good.finish()));
  EXPECT_EQ(bytes().find("elsewhere"), std::string::npos);
  EXPECT_EQ(bytes().find("not for an image"), std::string::npos);
  check();
}

TEST_F(LayerFileTest, AFloodOfAttributesIsRefused) {
  NodeOptions one{.xattrs = {{"user.large", std::string(kMaxXattrs, 'x')}}};
  TarBuilder large;
  large.file("f", "", one);
  EXPECT_EQ(refusal(large), ErrorKind::kExhausted);
  NodeOptions many;
  for (int i = 0; i < 5000; ++i) many.xattrs.emplace_back(fmt::format("user.{}", i), "0123456789");
  TarBuilder flood;
  flood.file("f", "", many);
  EXPECT_EQ(refusal(flood), ErrorKind::kExhausted);
  // The most there can be, on the root as well, whose room is fixed.
  TarBuilder most;
  NodeOptions full{.mode = 0755, .xattrs = {{"user.n", std::string(kMaxXattrs - 20, 'x')}}};
  most.directory("./", full).directory("d", full).file("d/f", std::string(4095, 'x'), full);
  MUST(write(most.finish()));
  check();
}

TEST_F(LayerFileTest, LimitsAreKept) {
  TarBuilder entries;
  entries.file("a", "").file("b", "").file("c", "");
  EXPECT_EQ(refusal(entries, {.max_entries = 2}), ErrorKind::kExhausted);
  TarBuilder bytes;
  bytes.file("a", "12345").file("b", "12345");
  EXPECT_EQ(refusal(bytes, {.max_bytes = 9}), ErrorKind::kExhausted);
  TarBuilder holes;
  holes.sparse("a", std::int64_t{1} << 40, "x");
  EXPECT_EQ(refusal(holes), ErrorKind::kExhausted);
}

TEST_F(LayerFileTest, MemoryForNamesIsBounded) {
  const auto build = [](TarBuilder& tar) {
    for (int i = 0; i < 1000; ++i) tar.file(fmt::format("{:0200}", i), "");
  };
  TarBuilder fits;
  build(fits);
  MUST(write(fits.finish(), {}, 1000 * 400));
  TarBuilder too_many;
  build(too_many);
  EXPECT_EQ(refusal(too_many, {}, 1000 * 300), ErrorKind::kExhausted);
  // One name again and again: what was there takes its memory until the end.
  TarBuilder again;
  for (int i = 0; i < 1000; ++i) again.symlink("l", std::string(1000, 'x'));
  EXPECT_EQ(refusal(again, {}, 500'000), ErrorKind::kExhausted);
  TarBuilder attributes;
  for (int i = 0; i < 100; ++i)
    attributes.directory("d", {.mode = 0755, .xattrs = {{"user.n", std::string(10000, 'x')}}});
  EXPECT_EQ(refusal(attributes, {}, 500'000), ErrorKind::kExhausted);
}

TEST_F(LayerFileTest, ADeepTreeIsWritten) {
  std::string path;
  TarBuilder tar;
  for (int i = 0; i < 2000; ++i) path += i == 0 ? "d" : "/d";
  tar.file(path + "/f", "deep");
  MUST(write(tar.finish()));
  EXPECT_EQ(MUST(count_inodes(file_.get())), 2002U);
}

TEST_F(LayerFileTest, WhatIsNoErofsIsSaid) {
  file_ = MUST(sys::open_file(path(), O_RDWR | O_CREAT | O_TRUNC, 0600));
  EXPECT_EQ(count_inodes(file_.get()).error().kind(), ErrorKind::kCorrupt);
  MUST(sys::write_all(file_.get(), std::string(5000, 'x')));
  EXPECT_EQ(count_inodes(file_.get()).error().kind(), ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace berth::image::erofs
