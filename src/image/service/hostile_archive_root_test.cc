// Archives that lie, break off, or attack: each is refused with a sentence, and the store is as it
// was before.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/json.h"
#include "image/archive/tar_builder_testing.h"
#include "image/content/hasher.h"
#include "image/image_service.h"
#include "image/load/archive_builder_testing.h"
#include "sys/dir.h"
#include "sys/file.h"
#include "sys/temp_dir_testing.h"

namespace berth::image {
namespace {

class HostileArchiveTest : public ::testing::Test {
 protected:
  HostileArchiveTest()
      : service_(MUST(ImageService::open({.root = dir_.path() + "/images", .driver = ""}))) {
    MUST(sys::write_file_atomic(dir_.fd(), "victim", "precious"));
  }

  /// Loads, and expects a refusal that leaves nothing behind, inside or outside.
  Error refused(std::string archive) {
    StringSource source(std::move(archive));
    const auto loaded = service_->load(source);
    EXPECT_FALSE(loaded.ok());
    EXPECT_TRUE(MUST(service_->list()).empty());
    EXPECT_TRUE(MUST(service_->snapshots().list()).empty());
    const std::string base = dir_.path() + "/images/" + std::string(service_->snapshots().name());
    for (const char* sub : {"/content/blobs/sha256", "/content/ingest", "/staging", "/s"}) {
      EXPECT_TRUE(MUST(sys::list_dir(MUST(sys::open_dir(base + sub)).get())).empty()) << sub;
    }
    EXPECT_EQ(MUST(sys::read_file_at(dir_.fd(), "victim")), "precious");
    EXPECT_EQ(MUST(sys::list_dir(dir_.fd())).size(), 2U);
    return loaded.ok() ? fail(ErrorKind::kInternal, "it was loaded") : loaded.error();
  }
  Error refused_layer(TarBuilder& layer) {
    return refused(docker_archive({{{layer.finish()}, {"evil:1"}, "amd64", "sh"}}));
  }
  /// Its path, as it looks from three directories deep in a snapshot.
  std::string victim() const { return dir_.path() + "/victim"; }

  sys::TempDir dir_;
  std::unique_ptr<ImageService> service_;
};

TEST_F(HostileArchiveTest, LayersThatReachOutside) {
  for (const char* name :
       {"../../../../victim", "a/../../victim", "/../victim", "d/.wh...", ".wh..", ".wh."}) {
    TarBuilder layer;
    layer.directory("d").file(name, "evil");
    EXPECT_EQ(refused_layer(layer).kind(), ErrorKind::kInvalid) << name;
  }
  TarBuilder relative;
  relative.directory("d")
      .symlink("d/out", "../../../../../..")
      .file("d/out/victim/f", "evil")
      .file("victim", "x");
  relative.hardlink("h", "../victim");
  EXPECT_EQ(refused_layer(relative).kind(), ErrorKind::kInvalid);
  for (const std::string& target :
       {victim(), std::string("../../../../victim"), std::string("out")}) {
    TarBuilder link;
    link.symlink("missing", victim()).hardlink("h", target);
    EXPECT_EQ(refused_layer(link).kind(), ErrorKind::kInvalid) << target;
  }
}

TEST_F(HostileArchiveTest, LinksThatLeadOutsideLeadInside) {
  for (const std::string& target : {dir_.path(), "../../../../../../../.." + dir_.path()}) {
    TarBuilder through;
    through.symlink("out", target).file("out/victim", "evil").file("out/.wh.victim", "");
    StringSource source(docker_archive({{{through.finish()}, {"evil:1"}, "amd64", "sh"}}));
    MUST(service_->load(source));
    EXPECT_EQ(MUST(sys::read_file_at(dir_.fd(), "victim")), "precious");
    MUST(service_->remove("evil:1", false, {}));
  }
}

TEST_F(HostileArchiveTest, NamesThatClaimADigest) {
  const std::string digest = "sha256:" + std::string(64, 'a');
  for (const std::string& name : {"alpine@" + digest, "alpine:3@" + digest}) {
    const TestImage image{{tar_of({{"f", "evil"}})}, {name}, "amd64", "sh"};
    for (const std::string& archive : {docker_archive({image}), legacy_docker_archive({image})}) {
      const Error error = refused(archive);
      EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
      EXPECT_NE(error.message().find("cannot be named by a digest"), std::string::npos);
    }
    // An annotation gives the name alone.
    StringSource layout(oci_layout({image}));
    MUST(service_->load(layout));
    EXPECT_EQ(service_->find("alpine@" + digest).error().kind(), ErrorKind::kNotFound);
    MUST(service_->remove(image.id(), true, {}));
  }
}

TEST_F(HostileArchiveTest, CompressedArchivesWhoseEndIsMissingOrWrong) {
  const std::string whole =
      gzip(docker_archive({{{tar_of({{"f", "x"}})}, {"cut:1"}, "amd64", "sh"}}));
  for (const std::size_t cut : {1U, 4U, 8U}) {
    EXPECT_EQ(refused(whole.substr(0, whole.size() - cut)).kind(), ErrorKind::kCorrupt) << cut;
  }
  for (const std::size_t from_end : {2U, 7U}) {  // the length, the checksum
    std::string wrong = whole;
    wrong[wrong.size() - from_end] ^= 1;
    EXPECT_EQ(refused(wrong).kind(), ErrorKind::kCorrupt) << from_end;
  }
  EXPECT_EQ(refused(whole + "more").kind(), ErrorKind::kCorrupt);
}

TEST_F(HostileArchiveTest, LayersThatForgeWhiteoutsOrBreakOff) {
  TarBuilder forged;
  forged.device("w", S_IFCHR, 0, 0);
  EXPECT_EQ(refused_layer(forged).kind(), ErrorKind::kInvalid);
  TarBuilder whole;
  whole.file("f", std::string(100000, 'x'));
  const std::string tar = whole.finish();
  for (const std::string& cut :
       {tar.substr(0, 60000), gzip(tar).substr(0, 200), zstd(tar).substr(0, 30)}) {
    EXPECT_EQ(refused(docker_archive({{{cut}, {"evil:1"}, "amd64", "sh"}})).kind(),
              ErrorKind::kCorrupt);
  }
}

TEST_F(HostileArchiveTest, TheSecondImageIsBadAndTheFirstGoesToo) {
  TarBuilder good;
  good.file("f", "x");
  TarBuilder bad;
  bad.file("../f", "x");
  const TestImage first{{good.finish()}, {"good:1"}, "amd64", "sh"};
  EXPECT_EQ(refused(docker_archive({first, {{bad.finish()}, {"bad:1"}, "amd64", "sh"}})).kind(),
            ErrorKind::kInvalid);
  EXPECT_EQ(refused(docker_archive({first, {{}, {"BAD"}, "amd64", "sh"}})).kind(),
            ErrorKind::kInvalid);
}

TEST_F(HostileArchiveTest, DigestsThatDoNotMatch) {
  TarBuilder layer;
  layer.file("f", "x");
  const std::string tar = layer.finish();
  const TestImage image{{tar}, {"evil:1"}, "amd64", "sh"};
  // A blob that is not what its name says.
  std::string archive = docker_archive({image});
  archive.replace(archive.find("2024-05-06"), 10, "2024-05-07");
  EXPECT_EQ(refused(archive).kind(), ErrorKind::kCorrupt);
  // A layer that is not what the config says.
  archive = legacy_docker_archive({image});
  TarBuilder other;
  other.file("f", "y");
  archive.replace(archive.find(tar), tar.size(), other.finish());
  const Error wrong = refused(archive);
  EXPECT_EQ(wrong.kind(), ErrorKind::kCorrupt);
  EXPECT_NE(wrong.message().find("is not what the image's config says"), std::string::npos);
}

TEST_F(HostileArchiveTest, SparseBombs) {
  // A terabyte of nothing, in a header of 512 bytes: GNU's old sparse format, written by hand.
  std::string header(512, '\0');
  const auto put = [&](std::size_t at, std::string_view text) {
    header.replace(at, text.size(), text);
  };
  put(0, "bomb");
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, "00000000000");
  put(136, "00000000000");
  put(156, "S");
  put(257, "ustar  ");
  header.replace(483, 12,
                 std::string("\x80\0\0\0\0\0\x01\0\0\0\0\0", 12));  // real size: 2^40, base 256
  put(148, "        ");
  unsigned sum = 0;
  for (const unsigned char c : header) sum += c;
  put(148, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  const std::string bomb = header + std::string(1024, '\0');
  EXPECT_EQ(refused(docker_archive({{{bomb}, {"evil:1"}, "amd64", "sh"}})).kind(),
            ErrorKind::kExhausted);
  EXPECT_EQ(refused(bomb).kind(), ErrorKind::kExhausted);
}

TEST_F(HostileArchiveTest, DocumentsThatMakeNoSense) {
  const struct {
    std::map<std::string, std::string> files;
    ErrorKind kind;
  } rows[] = {
      {{}, ErrorKind::kInvalid},
      {{{"etc/passwd", "root"}}, ErrorKind::kInvalid},
      {{{"manifest.json", "[]"}}, ErrorKind::kInvalid},
      {{{"manifest.json", "{}"}}, ErrorKind::kInvalid},
      {{{"manifest.json", "[1]"}}, ErrorKind::kInvalid},
      {{{"manifest.json", "["}}, ErrorKind::kInvalid},
      {{{"manifest.json", R"([{"Config":"../../../etc/passwd"}])"}}, ErrorKind::kInvalid},
      {{{"manifest.json", R"([{"Config":"c"}])"}}, ErrorKind::kInvalid},
      {{{"manifest.json", R"([{"Config":"c"}])"}, {"c", "{}"}}, ErrorKind::kInvalid},
      {{{"manifest.json", R"([{"Config":"c"}])"}, {"c", R"({"rootfs":{"diff_ids":["x"]}})"}},
       ErrorKind::kInvalid},
      {{{"manifest.json", R"([{"Config":"c","Layers":["l"]}])"},
        {"c", R"({"rootfs":{"diff_ids":[]}})"}},
       ErrorKind::kInvalid},
      {{{"index.json", "{}"}}, ErrorKind::kInvalid},
      {{{"index.json", R"({"manifests":[{"digest":"sha256:../../x","size":1}]})"}},
       ErrorKind::kInvalid},
      {{{"index.json",
         R"({"manifests":[{"digest":"sha256:)" + std::string(64, 'a') + R"(","size":1}]})"}},
       ErrorKind::kInvalid},
      {{{"manifest.json", std::string(5U << 20, ' ')}}, ErrorKind::kExhausted},
  };
  for (const auto& row : rows) EXPECT_EQ(refused(tar_of(row.files)).kind(), row.kind);
  EXPECT_EQ(refused("no archive").kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(refused("").kind(), ErrorKind::kInvalid);
}

TEST_F(HostileArchiveTest, IndexesThatLeadInCircles) {
  // An index cannot contain its own digest; a chain of them is as near as one gets.
  std::map<std::string, std::string> files;
  std::string inner = R"({"manifests":[]})";
  for (int i = 0; i < 8; ++i) {
    const Digest digest = sha256_of(inner);
    files["blobs/sha256/" + std::string(digest.hex())] = inner;
    inner =
        fmt::format(R"({{"manifests":[{{"digest":"{}","size":{}}}]}})", digest.str(), inner.size());
  }
  files["index.json"] = inner;
  EXPECT_EQ(refused(tar_of(files)).kind(), ErrorKind::kInvalid);
  TarBuilder links;
  links.symlink("manifest.json", "b").symlink("b", "manifest.json");
  EXPECT_EQ(refused(links.finish()).kind(), ErrorKind::kInvalid);
}

}  // namespace
}  // namespace berth::image
