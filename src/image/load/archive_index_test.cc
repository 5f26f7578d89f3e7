// What archives say they contain, from the stream to the list of images. Nothing is unpacked.
#include "image/load/archive_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "image/archive/tar_builder_testing.h"
#include "image/content/hasher.h"
#include "image/load/archive_builder_testing.h"
#include "image/load/oci_layout.h"
#include "image/store/image_config.h"
#include "sys/dir.h"
#include "sys/temp_dir_testing.h"

namespace berth::image {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ArchiveIndex : public ::testing::Test {
 protected:
  Result<StagedArchive> stage(std::string tar) {
    StringSource source(std::move(tar), 1000);
    return StagedArchive::read(source, dir_.fd());
  }
  Result<std::vector<ArchivedImage>> index(std::string tar) {
    const auto staged = stage(std::move(tar));
    if (!staged.ok()) return staged.error();
    return read_archive_index(*staged);
  }
  /// Of an archive with only this file.
  Error index_error(const std::string& name, const std::string& text) {
    const auto images = index(tar_of({{name, text}}));
    return images.ok() ? Error(ErrorKind::kInternal, "it was read") : images.error();
  }

  sys::TempDir dir_;
};

TestImage image(const std::string& layer, std::vector<std::string> names) {
  return {{layer}, std::move(names), std::string(host_architecture()), "sh"};
}

std::vector<std::string> names_of(const ArchivedImage& image) {
  std::vector<std::string> names;
  for (const Reference& name : image.names) names.push_back(name.familiar());
  return names;
}

TEST_F(ArchiveIndex, ReadsWhatDockerSaves) {
  const std::vector<TestImage> images = {image("one", {"a:1", "b"}), image("two", {})};
  for (const auto& archive : {legacy_docker_archive(images), docker_archive(images)}) {
    const auto read = index(archive);
    ASSERT_TRUE(read.ok()) << read.error().message();
    ASSERT_EQ(read->size(), 2U);
    EXPECT_EQ((*read)[0].config, images[0].config());
    EXPECT_EQ((*read)[0].layers.size(), 1U);
    EXPECT_THAT(names_of((*read)[0]), ElementsAre("a:1", "b:latest"));
    EXPECT_THAT(names_of((*read)[1]), ElementsAre());
  }
}

TEST_F(ArchiveIndex, ReadsOciLayouts) {
  const std::vector<TestImage> images = {image("one", {"a:1"})};
  for (const bool nested : {false, true}) {
    const auto read = index(oci_layout(images, {}, nested));
    ASSERT_TRUE(read.ok()) << read.error().message();
    ASSERT_EQ(read->size(), 1U);
    EXPECT_EQ((*read)[0].config, images[0].config());
    EXPECT_FALSE((*read)[0].manifest.empty());
    EXPECT_THAT(names_of((*read)[0]), ElementsAre("a:1"));
  }
}

TEST_F(ArchiveIndex, TakesTheImageForThisMachine) {
  std::vector<TestImage> images = {image("one", {"a:1"}), image("two", {"a:1"})};
  images[0].architecture = "s390x";
  const auto read = index(oci_layout(images, {}, true));
  ASSERT_TRUE(read.ok()) << read.error().message();
  ASSERT_EQ(read->size(), 1U);
  EXPECT_EQ((*read)[0].config, images[1].config());
  images.pop_back();
  const auto other = index(oci_layout(images, {}, true));
  EXPECT_EQ(other.error().kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(other.error().message(), HasSubstr("only for linux/s390x"));
}

TEST_F(ArchiveIndex, ThatIsMissingOrWrongIsTold) {
  EXPECT_THAT(index_error("etc/passwd", "x").message(), HasSubstr("taken by import"));
  const std::pair<const char*, const char*> rows[] = {
      {"", "JSON"},
      {"{", "JSON"},
      {"{}", "not a list"},
      {"[]", "it has no images"},
      {"[7]", "not an object"},
      {"[{}]", "no Config"},
      {R"([{"Config":7}])", "Config"},
      {R"([{"Config":"gone.json"}])", "does not have"},
      {R"([{"Config":"../../etc/passwd"}])", "etc/passwd"},
      {R"([{"Config":"manifest.json","Layers":"x"}])", "Layers"},
      {R"([{"Config":"manifest.json","RepoTags":["UPPER"]}])", "UPPER"}};
  for (const auto& [text, says] : rows) {
    const Error error = index_error("manifest.json", text);
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid) << text << ": " << error.message();
    EXPECT_THAT(error.message(), HasSubstr(says)) << text;
  }
  EXPECT_EQ(index_error("manifest.json", std::string(100, '[')).kind(), ErrorKind::kExhausted);
}

TEST_F(ArchiveIndex, OciDescriptorsThatLieAreRefused) {
  const std::string digest = sha256_of("{}").str();
  const auto with = [&](const std::string& descriptor) {
    return index(tar_of({{"index.json", fmt::format(R"({{"manifests":[{}]}})", descriptor)},
                         {"blobs/sha256/" + digest.substr(7), "{}"}}))
        .error();
  };
  EXPECT_THAT(with("7").message(), HasSubstr("not an object"));
  EXPECT_EQ(with(R"({"digest":"sha256:../x","size":2})").kind(), ErrorKind::kInvalid);
  EXPECT_EQ(with(fmt::format(R"({{"digest":"{}","size":3}})", digest)).kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(with(fmt::format(R"({{"digest":"{}","size":-1}})", digest)).kind(),
            ErrorKind::kCorrupt);
  EXPECT_EQ(with(fmt::format(R"({{"digest":"sha512:{}","size":2}})", std::string(128, 'a'))).kind(),
            ErrorKind::kInvalid);
  EXPECT_EQ(with(fmt::format(R"({{"digest":"sha256:{}","size":2}})", std::string(64, 'a'))).kind(),
            ErrorKind::kInvalid);
  EXPECT_THAT(with(fmt::format(R"({{"digest":"{}","size":2}})", digest)).message(),
              HasSubstr("neither an index nor the manifest"));
}

// The digests make a loop impossible, but not a ladder.
TEST_F(ArchiveIndex, IndexesLeadToIndexesAFewTimesOnly) {
  std::map<std::string, std::string> files;
  std::string text = R"({"manifests":[]})";
  for (int depth = 0; depth < 6; ++depth) {
    const std::string digest = sha256_of(text).str();
    files["blobs/sha256/" + digest.substr(7)] = text;
    text = fmt::format(R"({{"manifests":[{{"digest":"{}","size":{}}}]}})", digest, text.size());
  }
  files["index.json"] = text;
  const auto read = index(tar_of(files));
  EXPECT_EQ(read.error().kind(), ErrorKind::kInvalid);
  EXPECT_THAT(read.error().message(), HasSubstr("too often"));
}

TEST_F(ArchiveIndex, AnArchiveOfTooManyImagesIsRefused) {
  std::string manifest = "[{}";
  for (std::size_t i = 0; i < kMaxArchivedImages; ++i) manifest += ",{}";
  EXPECT_EQ(index_error("manifest.json", manifest + "]").kind(), ErrorKind::kExhausted);
}

TEST_F(ArchiveIndex, StagedFilesAreFoundThroughLinksAndGoWithTheObject) {
  {
    TarBuilder tar;
    tar.file("a/file", "text").symlink("a/link", "file").symlink("b/up", "../a/link");
    tar.symlink("root", "/a/file").hardlink("hard", "a/file").symlink("loop", "loop");
    tar.symlink("gone", "nowhere").directory("d").file("./a//twice", "1").file("a/twice", "22");
    const auto staged = stage(tar.finish());
    ASSERT_TRUE(staged.ok()) << staged.error().message();
    for (const char* path : {"a/file", "/a/file", "./a/link", "b/up", "root", "hard"}) {
      EXPECT_TRUE(staged->contains(path)) << path;
      EXPECT_EQ(*staged->text(path, 100), "text") << path;
      EXPECT_EQ(*staged->size(path), 4U) << path;
    }
    EXPECT_EQ(*staged->text("a/twice", 100), "22") << "the last of a name counts";
    for (const char* path : {"loop", "gone", "d", "", "a", "../a/file"}) {
      EXPECT_FALSE(staged->contains(path)) << path;
      EXPECT_EQ(staged->text(path, 100).error().kind(), ErrorKind::kInvalid) << path;
    }
    EXPECT_FALSE(staged->text("a/file", 3).ok()) << "longer than was asked for";
    EXPECT_EQ(sys::list_dir(dir_.fd())->size(), 1U);
  }
  EXPECT_TRUE(sys::list_dir(dir_.fd())->empty());
}

TEST_F(ArchiveIndex, ABlobIsWhatItsNameSaysUnderWhateverNameItIsStored) {
  const std::string path = "blobs/sha256/" + std::string(sha256_of("good").hex());
  EXPECT_TRUE(stage(tar_of({{path, "good"}})).ok());
  EXPECT_EQ(stage(tar_of({{path, "evil"}})).error().kind(), ErrorKind::kCorrupt);
  TarBuilder linked, hard, good;
  linked.file("x", "evil").symlink(path, "../../x");
  EXPECT_EQ(stage(linked.finish()).error().kind(), ErrorKind::kCorrupt);
  hard.file("x", "evil").hardlink(path, "x");
  EXPECT_EQ(stage(hard.finish()).error().kind(), ErrorKind::kCorrupt);
  good.file("x", "good").symlink(path, "../../x");
  EXPECT_TRUE(stage(good.finish()).ok());
  EXPECT_TRUE(sys::list_dir(dir_.fd())->empty()) << "a refused archive leaves nothing";
}

}  // namespace
}  // namespace berth::image
