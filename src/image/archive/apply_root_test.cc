#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image/archive/apply.h"
#include "image/archive/tar_builder_testing.h"
#include "sys/dir.h"
#include "sys/file.h"
#include "sys/temp_dir_testing.h"

namespace berth::image {
namespace {

class ApplyTest : public ::testing::Test {
 protected:
  ApplyTest() : root_(MUST(sys::make_dir_at(dir_.fd(), "root"))) {}

  Result<AppliedLayer> apply(std::string tar, Whiteouts* whiteouts = nullptr,
                             const ApplyLimits& limits = {}) {
    StringSource source(std::move(tar), 4000);
    return apply_layer({root_.get(), lowers_, whiteouts}, source, limits);
  }
  ErrorKind refusal(TarBuilder& tar) {
    const auto applied = apply(tar.finish());
    EXPECT_FALSE(applied.ok());
    return applied.ok() ? ErrorKind::kInternal : applied.error().kind();
  }
  struct stat stat_of(const std::string& path) {
    struct stat st{};
    EXPECT_EQ(::fstatat(root_.get(), path.c_str(), &st, AT_SYMLINK_NOFOLLOW), 0) << path;
    return st;
  }
  bool exists(const std::string& path) {
    return ::faccessat(root_.get(), path.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
  }
  std::string text_of(const std::string& path) {
    return MUST(sys::read_file_at(root_.get(), path, 64U << 20));
  }
  std::string xattr_of(const std::string& path, const char* name) {
    char value[256];
    const std::string full = dir_.path() + "/root/" + path;
    const ssize_t size = ::lgetxattr(full.c_str(), name, value, sizeof value);
    return size < 0 ? "none" : std::string(value, static_cast<std::size_t>(size));
  }

  sys::TempDir dir_;
  UniqueFd root_;
  std::vector<int> lowers_;
};

TEST_F(ApplyTest, KeepsWhatTheArchiveSaysAboutEachNode) {
  TarBuilder tar;
  tar.directory("./", {.mode = 0711, .mtime = 500});
  tar.directory("d", {.mode = 01777, .uid = 7, .gid = 8, .mtime = 1000});
  tar.file("d/f", "content",
           {.mode = 04755,
            .uid = 1,
            .gid = 2,
            .mtime = 2000,
            .xattrs = {{"user.note", "x"},
                       {"security.capability",
                        std::string("\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20)}}});
  tar.symlink("d/l", "../outside", {.uid = 3, .mtime = 3000});
  tar.hardlink("d/h", "d/f")
      .fifo("d/p")
      .device("d/null", S_IFCHR, 1, 3)
      .device("d/b", S_IFBLK, 7, 0);
  const auto applied = MUST(apply(tar.finish()));
  EXPECT_EQ(applied.entries, 8U);
  EXPECT_EQ(applied.bytes, 7U);
  EXPECT_EQ(stat_of(".").st_mode & 07777U, 0711U);
  EXPECT_EQ(stat_of(".").st_mtim.tv_sec, 500);
  const auto d = stat_of("d");
  EXPECT_EQ(d.st_mode & 07777U, 01777U);
  EXPECT_EQ(d.st_uid, 7U);
  EXPECT_EQ(d.st_mtim.tv_sec, 1000);
  const auto f = stat_of("d/f");
  EXPECT_EQ(f.st_mode & 07777U, 04755U);
  EXPECT_EQ(f.st_gid, 2U);
  EXPECT_EQ(f.st_mtim.tv_sec, 2000);
  EXPECT_EQ(f.st_nlink, 2U);
  EXPECT_EQ(text_of("d/h"), "content");
  EXPECT_EQ(xattr_of("d/f", "user.note"), "x");
  EXPECT_EQ(xattr_of("d/f", "security.capability").size(), 20U);
  EXPECT_EQ(stat_of("d/l").st_uid, 3U);
  EXPECT_EQ(stat_of("d/l").st_mtim.tv_sec, 3000);
  EXPECT_TRUE(S_ISFIFO(stat_of("d/p").st_mode));
  EXPECT_EQ(stat_of("d/null").st_rdev, makedev(1, 3));
  EXPECT_TRUE(S_ISBLK(stat_of("d/b").st_mode));
}

TEST_F(ApplyTest, KeepsNamesByteForByte) {
  TarBuilder tar;
  const std::string names[] = {"n\xc3\xa9", "ne\xcc\x81", "bad\xff\xfe", std::string(200, 'x'),
                               std::string(120, 'y') + "/" + std::string(120, 'z')};
  for (const auto& name : names) tar.file(name, name);
  MUST(apply(tar.finish()));
  for (const auto& name : names) EXPECT_EQ(text_of(name), name);
}

TEST_F(ApplyTest, AbsoluteNamesAreRelativeToTheRoot) {
  TarBuilder tar;
  tar.file("/etc/berth-absolute-test", "x");
  MUST(apply(tar.finish()));
  EXPECT_TRUE(exists("etc/berth-absolute-test"));
  EXPECT_NE(::access("/etc/berth-absolute-test", F_OK), 0);
}

TEST_F(ApplyTest, NamesThatLeaveTheRootAreRefused) {
  for (const char* name : {"../escaped", "a/../../escaped", "/../escaped"}) {
    TarBuilder tar;
    tar.file(name, "x");
    EXPECT_EQ(refusal(tar), ErrorKind::kInvalid);
  }
  TarBuilder whiteout;
  whiteout.file("a/.wh...", "");
  EXPECT_EQ(refusal(whiteout), ErrorKind::kInvalid);
  EXPECT_EQ(MUST(sys::list_dir(dir_.fd())).size(), 1U);
}

TEST_F(ApplyTest, WritesThroughSymlinksStayInside) {
  MUST(sys::make_dir_at(dir_.fd(), "victim"));
  TarBuilder tar;
  tar.directory("in").symlink("abs", dir_.path() + "/victim").symlink("up", "../victim");
  tar.symlink("good", "in");
  tar.file("good/f", "1");
  MUST(apply(tar.finish()));
  EXPECT_EQ(text_of("in/f"), "1");
  for (const char* name : {"abs/f", "up/f", "abs/.wh.f", "abs/.wh..wh..opq"}) {
    TarBuilder through;
    through.file(name, "x");
    MUST(apply(through.finish()));
  }
  EXPECT_EQ(text_of(dir_.path().substr(1) + "/victim/f"),
            "x");  // what the link says, from the root
  EXPECT_EQ(text_of("victim/f"), "x");
  EXPECT_TRUE(MUST(sys::list_dir(MUST(sys::open_dir(dir_.path() + "/victim")).get())).empty());
}

TEST_F(ApplyTest, AFileReplacesASymlinkAndIsNotWrittenThroughIt) {
  MUST(sys::write_file_atomic(dir_.fd(), "victim", "precious"));
  TarBuilder tar;
  tar.symlink("f", dir_.path() + "/victim").file("f", "new", {.mode = 0777});
  MUST(apply(tar.finish()));
  EXPECT_EQ(text_of("f"), "new");
  EXPECT_EQ(MUST(sys::read_file_at(dir_.fd(), "victim")), "precious");
}

TEST_F(ApplyTest, HardLinksReachOnlyFilesInside) {
  MUST(sys::write_file_atomic(dir_.fd(), "victim", "precious"));
  for (const std::string& target : {std::string("../victim"), dir_.path() + "/victim",
                                    std::string("nothing"), std::string("dir")}) {
    TarBuilder tar;
    tar.directory("dir").hardlink("h", target);
    EXPECT_EQ(refusal(tar), ErrorKind::kInvalid) << target;
  }
  // A link to a symbolic link is one to the link itself; then a write to it replaces it.
  TarBuilder tar;
  tar.symlink("l", dir_.path() + "/victim").hardlink("h", "l").file("h", "new");
  MUST(apply(tar.finish()));
  EXPECT_TRUE(S_ISREG(stat_of("h").st_mode));
  EXPECT_TRUE(S_ISLNK(stat_of("l").st_mode));
  struct stat victim{};
  ASSERT_EQ(::fstatat(dir_.fd(), "victim", &victim, 0), 0);
  EXPECT_EQ(victim.st_nlink, 1U);
  EXPECT_EQ(MUST(sys::read_file_at(dir_.fd(), "victim")), "precious");
}

TEST_F(ApplyTest, LaterEntriesReplaceEarlierOnesOfAnyKind) {
  TarBuilder tar;
  tar.file("x", "1").file("x", "2");
  tar.directory("a").file("a/f", "1").file("a", "now a file");
  tar.file("b", "1").directory("b").file("b/f", "2");
  tar.directory("c", {.mode = 0700}).file("c/f", "kept").directory("c", {.mode = 0755});
  tar.directory("t").directory("e").symlink("e", "t").file("e/f", "through");
  MUST(apply(tar.finish()));
  EXPECT_EQ(text_of("x"), "2");
  EXPECT_EQ(text_of("a"), "now a file");
  EXPECT_EQ(text_of("b/f"), "2");
  EXPECT_EQ(text_of("c/f"), "kept");
  EXPECT_EQ(stat_of("c").st_mode & 07777U, 0755U);
  EXPECT_EQ(text_of("t/f"), "through");
}

TEST_F(ApplyTest, AFileIsNoParent) {
  TarBuilder tar;
  tar.file("a", "x").file("a/b", "y");
  EXPECT_EQ(refusal(tar), ErrorKind::kInvalid);
}

TEST_F(ApplyTest, ImpliedDirectoriesLookAsTheyDoBelow) {
  const UniqueFd lower = MUST(sys::make_dir_at(dir_.fd(), "lower"));
  const UniqueFd below = MUST(sys::make_dir_at(lower.get(), "home"));
  ASSERT_EQ(::fchown(below.get(), 5, 6), 0);
  ASSERT_EQ(::fchmod(below.get(), 0750), 0);
  lowers_ = {lower.get()};
  TarBuilder tar;
  tar.file("home/new/f", "x");
  MUST(apply(tar.finish()));
  EXPECT_EQ(stat_of("home").st_uid, 5U);
  EXPECT_EQ(stat_of("home").st_mode & 07777U, 0750U);
  EXPECT_EQ(stat_of("home/new").st_mode & 07777U, 0755U);
}

TEST_F(ApplyTest, OverlayWhiteoutsHideOnlyWhatIsBelow) {
  const auto whiteouts = overlay_whiteouts();
  TarBuilder tar;
  tar.directory("d").file("d/.wh.gone", "").file("d/kept", "x").file("d/.wh.kept", "");
  tar.directory("o").file("o/f", "x").file("o/.wh..wh..opq", "").file("o/.wh..wh.plnk", "");
  tar.file(".wh.again", "").directory("again").directory("before").file(".wh.before", "");
  MUST(apply(tar.finish(), whiteouts.get()));
  EXPECT_TRUE(is_overlay_whiteout(stat_of("d/gone")));
  EXPECT_EQ(text_of("d/kept"), "x");
  for (const char* opaque : {"o", "again", "before"}) {
    EXPECT_EQ(xattr_of(opaque, "trusted.overlay.opaque"), "y") << opaque;
  }
  EXPECT_EQ(xattr_of("d", "trusted.overlay.opaque"), "none");
  EXPECT_FALSE(exists("o/.wh..wh.plnk"));
}

TEST_F(ApplyTest, DeletingWhiteoutsRemoveWhatWasThereAndKeepWhatTheLayerBrings) {
  TarBuilder below;
  below.file("gone", "").directory("d").file("d/old", "").directory("d/sub").file("d/sub/old", "");
  below.directory("tree").directory("tree/deep").file("tree/deep/f", "").symlink("link", "d");
  MUST(apply(below.finish()));
  const auto whiteouts = deleting_whiteouts();
  TarBuilder tar;
  tar.file(".wh.gone", "").file("d/sub/new", "n").file("link/new", "m").file("d/.wh..wh..opq", "");
  tar.file(".wh.tree", "").file(".wh.never", "").file("mine", "x").file(".wh.mine", "");
  MUST(apply(tar.finish(), whiteouts.get()));
  for (const char* gone : {"gone", "d/old", "d/sub/old", "tree"})
    EXPECT_FALSE(exists(gone)) << gone;
  EXPECT_EQ(text_of("d/sub/new"), "n");
  EXPECT_EQ(text_of("link/new"), "m");  // the link was of below, as were the files in d
  EXPECT_FALSE(exists("d/new"));
  EXPECT_EQ(text_of("mine"), "x");
}

TEST_F(ApplyTest, AnImageCannotSteerTheOverlayOrForgeWhiteouts) {
  TarBuilder tar;
  tar.directory("d", {.mode = 0755,
                      .xattrs = {{"trusted.overlay.redirect", "/etc"},
                                 {"trusted.overlay.opaque", "y"},
                                 {"security.selinux", "x"},
                                 {"trusted.fine", "1"}}});
  MUST(apply(tar.finish()));
  EXPECT_EQ(xattr_of("d", "trusted.overlay.redirect"), "none");
  EXPECT_EQ(xattr_of("d", "trusted.overlay.opaque"), "none");
  EXPECT_EQ(xattr_of("d", "trusted.fine"), "1");
  TarBuilder forged;
  forged.device("w", S_IFCHR, 0, 0);
  EXPECT_EQ(refusal(forged), ErrorKind::kInvalid);
}

TEST_F(ApplyTest, SparseFilesStaySparseAndCountInFull) {
  TarBuilder tar;
  tar.sparse("s", 20 << 20, "tail");
  const std::string bytes = tar.finish();
  MUST(apply(bytes));
  EXPECT_EQ(stat_of("s").st_size, 20 << 20);
  EXPECT_LT(stat_of("s").st_blocks * 512, 1 << 20);
  const auto full = text_of("s").substr((20U << 20) - 5);
  EXPECT_EQ(full, std::string("\0tail", 5));
  EXPECT_EQ(apply(bytes, nullptr, {.max_bytes = 10U << 20}).error().kind(), ErrorKind::kExhausted);
}

TEST_F(ApplyTest, CapsEntriesAndAttributes) {
  TarBuilder tar;
  tar.file("a", "").file("b", "").file("c", "");
  EXPECT_EQ(apply(tar.finish(), nullptr, {.max_entries = 2}).error().kind(), ErrorKind::kExhausted);
  TarBuilder deep;
  std::string path;
  for (int i = 0; i < 3000; ++i) path += "d/";
  deep.file(path + "f", "");
  EXPECT_EQ(refusal(deep), ErrorKind::kInvalid);
  TarBuilder owner;
  owner.file("o", "", {.uid = 0xffffffff});
  EXPECT_EQ(refusal(owner), ErrorKind::kInvalid);
}

TEST_F(ApplyTest, CapsTheMemoryForDirectories) {
  const ApplyLimits limits{.max_directory_bytes = 1000};
  TarBuilder repeated;
  for (int i = 0; i < 1000; ++i) repeated.directory("d/e").directory("./");
  MUST(apply(repeated.finish(), nullptr, limits));
  TarBuilder different;
  for (int i = 0; i < 20; ++i) different.directory(fmt::format("d{}", i));
  EXPECT_EQ(apply(different.finish(), nullptr, limits).error().kind(), ErrorKind::kExhausted);
  TarBuilder one;
  one.directory(std::string(200, 'x') + "/" + std::string(200, 'y') + "/" + std::string(200, 'z') +
                "/" + std::string(200, 'x') + "/" + std::string(200, 'y'));
  EXPECT_EQ(apply(one.finish(), nullptr, limits).error().kind(), ErrorKind::kExhausted);
}

TEST_F(ApplyTest, TimesOfDirectoriesAreThoseListedLast) {
  TarBuilder tar;
  tar.directory("d", {.mode = 0755, .mtime = 1000}).symlink("l", "d");
  tar.directory("l/sub", {.mode = 0755, .mtime = 2000})
      .directory("d", {.mode = 0755, .mtime = 3000});
  tar.file("d/sub/f", "");
  MUST(apply(tar.finish()));
  EXPECT_EQ(stat_of("d").st_mtim.tv_sec, 3000);
  EXPECT_EQ(stat_of("d/sub").st_mtim.tv_sec, 2000);
}

TEST_F(ApplyTest, DeepTreesWithinThePathLimitWork) {
  std::string path;
  for (int i = 0; i < 2000; ++i) path += "d/";
  TarBuilder tar;
  tar.file(path + "f", "deep");
  MUST(apply(tar.finish()));
  EXPECT_EQ(text_of(path + "f"), "deep");
}

TEST_F(ApplyTest, DamagedArchivesAreCorrupt) {
  TarBuilder tar;
  tar.file("f", std::string(100000, 'x'));
  const std::string whole = tar.finish();
  EXPECT_EQ(apply(whole.substr(0, 50000)).error().kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(apply(whole.substr(0, 300)).error().kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(apply("this is no archive at all").error().kind(), ErrorKind::kCorrupt);
  std::string checksum = whole;
  checksum[10] = 'y';
  EXPECT_EQ(apply(checksum).error().kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(MUST(apply("")).entries, 0U);
  EXPECT_EQ(MUST(apply(std::string(1024, '\0'))).entries, 0U);
}

}  // namespace
}  // namespace berth::image
