#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <set>
#include <thread>

#include "image/archive/tar_builder_testing.h"
#include "image/image_service.h"
#include "image/load/archive_builder_testing.h"
#include "image/snapshot/mounted_testing.h"
#include "image/snapshot/volume_testing.h"
#include "image/store/image_config.h"
#include "sys/dir.h"
#include "sys/file.h"
#include "sys/temp_dir_testing.h"

namespace berth::image {
namespace {

constexpr auto kNotInUse = [](const std::string&) { return false; };

class ImageServiceTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "fuse-overlayfs" && !has_program(GetParam())) {
      GTEST_SKIP() << GetParam() << " is not installed";
    }
    if (GetParam() == "btrfs") {
      auto made = Volume::make(dir_.path(), GetParam(), 1U << 30);
      if (!made.ok() && made.error().kind() == ErrorKind::kUnsupported) {
        GTEST_SKIP() << made.error().message();
      }
      volume_ = MUST(std::move(made));
    }
    reopen();
  }

  void reopen() {
    service_.reset();
    service_ = MUST(ImageService::open({.root = root(), .driver = GetParam()}));
  }
  std::string root() const { return (volume_ ? volume_->path() : dir_.path()) + "/images"; }

  Result<std::vector<LoadResult>> load(std::string archive) {
    StringSource source(std::move(archive), 50000);
    return service_->load(source);
  }
  Result<std::string> import(std::string tar, const std::string& reference) {
    StringSource source(std::move(tar));
    return service_->import(source,
                            {.reference = reference, .message = "made by hand", .config = {}});
  }
  /// A container's view of the image, in a snapshot of its own.
  UniqueFd container(const Image& image, const std::string& key = "container") {
    return MUST(mount_detached(MUST(service_->snapshots().prepare(key, image.top_snapshot))));
  }
  static std::string read(const UniqueFd& root, const std::string& path) {
    auto text = sys::read_file_at(root.get(), path);
    return text.ok() ? *text : "(" + std::string(to_string(text.error().kind())) + ")";
  }
  std::size_t files_in(const std::string& sub) {
    return MUST(sys::list_dir(
                    MUST(sys::open_dir(fmt::format("{}/{}/{}", root(), GetParam(), sub))).get()))
        .size();
  }
  /// Nothing is in the store, neither in rows nor, once what was put aside is gone, on disk.
  void expect_empty() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (files_in("s") > 0 && std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
    EXPECT_TRUE(MUST(service_->list()).empty());
    EXPECT_TRUE(MUST(service_->snapshots().list()).empty());
    for (const char* sub : {"content/blobs/sha256", "content/ingest", "staging", "s"}) {
      EXPECT_EQ(files_in(sub), 0U) << sub;
    }
  }

  sys::TempDir dir_;
  std::unique_ptr<Volume> volume_;
  std::unique_ptr<ImageService> service_;
};

std::string base_layer() {
  TarBuilder tar;
  tar.directory("bin")
      .file("bin/sh", "shell", {.mode = 0755})
      .directory("etc")
      .file("etc/old", "old");
  return tar.finish();
}
std::string top_layer() {
  TarBuilder tar;
  tar.directory("etc")
      .file("etc/.wh.old", "")
      .file("etc/new", "new")
      .hardlink("etc/link", "etc/new");
  return tar.finish();
}
TestImage two_layers() {
  return {{base_layer(), top_layer()}, {"app:1"}, "amd64", "sh"};
}

TEST_P(ImageServiceTest, LoadsEveryKindOfArchive) {
  const TestImage image = two_layers();
  const std::string archives[] = {legacy_docker_archive({image}), docker_archive({image}),
                                  gzip(docker_archive({image})),  zstd(oci_layout({image})),
                                  oci_layout({image}, gzip),      oci_layout({image}, zstd),
                                  oci_layout({image}, gzip, true)};
  for (const std::string& archive : archives) {
    const auto loaded = MUST(load(archive));
    ASSERT_EQ(loaded.size(), 1U);
    EXPECT_EQ(loaded[0].id, image.id());
    EXPECT_EQ(loaded[0].repo_tags, std::vector<std::string>{"app:1"});
    const Image found = MUST(service_->find("app:1"));
    EXPECT_EQ(found.diff_ids, image.diff_ids());
    EXPECT_EQ(found.top_snapshot, chain_ids(image.diff_ids()).back());
    EXPECT_EQ(found.size, 11);
    EXPECT_EQ(found.config.cmd, std::vector<std::string>{"sh"});
    EXPECT_EQ(format_rfc3339(found.created), "2024-05-06T07:08:09Z");
    {
      const UniqueFd tree = container(found);
      EXPECT_EQ(read(tree, "bin/sh"), "shell");
      EXPECT_EQ(read(tree, "etc/old"), "(not found)");
      EXPECT_EQ(read(tree, "etc/link"), "new");
    }
    MUST(service_->snapshots().remove("container"));
    MUST(service_->remove("app:1", false, kNotInUse));
    expect_empty();
  }
}

TEST_P(ImageServiceTest, LayersThatImagesShareUnpackOnce) {
  const TestImage one = two_layers();
  TestImage two{{base_layer()}, {"base:latest"}, "amd64", "other"};
  const auto loaded = MUST(load(legacy_docker_archive({one, two})));
  ASSERT_EQ(loaded.size(), 2U);
  EXPECT_EQ(MUST(service_->snapshots().list()).size(), 2U);
  EXPECT_EQ(MUST(service_->find("base")).size, 8);
  const auto removed = MUST(service_->remove("app:1", false, kNotInUse));
  EXPECT_EQ(removed.untagged, std::vector<std::string>{"app:1"});
  EXPECT_EQ(removed.deleted,
            (std::vector<std::string>{one.id(), chain_ids(one.diff_ids()).back()}));
  EXPECT_EQ(read(container(MUST(service_->find("base"))), "etc/old"), "old");
}

TEST_P(ImageServiceTest, PicksThisMachinesImageOfAnIndex) {
  TestImage other{{base_layer()}, {"multi:1"}, "s390x", "sh"};
  TestImage ours{{top_layer()}, {"multi:1"}, std::string(host_architecture()), "sh"};
  EXPECT_EQ(MUST(load(oci_layout({other, ours}, gzip, true)))[0].id, ours.id());
  const auto none = load(oci_layout({other}, gzip, true));
  EXPECT_EQ(none.error().kind(), ErrorKind::kUnsupported);
  EXPECT_NE(none.error().message().find("linux/s390x"), std::string::npos);
}

TEST_P(ImageServiceTest, FindsByNameIdAndPrefix) {
  const TestImage image = two_layers();
  MUST(load(docker_archive({image})));
  MUST(service_->tag("app:1", "registry.local:5000/team/app"));
  const std::string hex = image.id().substr(7);
  for (const std::string& name : {std::string("app:1"), std::string("docker.io/library/app:1"),
                                  image.id(), hex, hex.substr(0, 12), "sha256:" + hex.substr(0, 6),
                                  std::string("registry.local:5000/team/app:latest")}) {
    EXPECT_EQ(MUST(service_->find(name)).id, image.id()) << name;
  }
  EXPECT_EQ(MUST(service_->find("app:1")).repo_tags,
            (std::vector<std::string>{"app:1", "registry.local:5000/team/app:latest"}));
}

TEST_P(ImageServiceTest, SaysWhatDockerSays) {
  MUST(load(docker_archive({two_layers()})));
  const auto text = [](const auto& result) {
    return result.ok() ? "ok" : result.error().message();
  };
  EXPECT_EQ(text(service_->find("nothing")), "No such image: nothing:latest");
  EXPECT_EQ(service_->find("nothing").error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(text(service_->find("app")), "No such image: app:latest");
  EXPECT_EQ(text(service_->find("Bad")),
            "invalid reference format: repository name (Bad) must be lowercase");
  EXPECT_EQ(text(service_->find("a b")), "invalid reference format");
  EXPECT_EQ(text(service_->tag("nothing", "x")), "No such image: nothing:latest");
  EXPECT_EQ(text(service_->tag("app:1", "x@sha256:" + std::string(64, 'a'))),
            "refusing to create a tag with a digest reference");
  EXPECT_EQ(text(service_->remove("nothing", false, kNotInUse)), "No such image: nothing:latest");
}

TEST_P(ImageServiceTest, RemovingNamesAndImagesThatAreNeeded) {
  const TestImage image = two_layers();
  MUST(load(docker_archive({image})));
  MUST(service_->tag("app:1", "app:2"));
  const auto in_use = [](const std::string&) { return true; };
  EXPECT_EQ(service_->remove(image.id(), false, kNotInUse).error().kind(), ErrorKind::kConflict);
  const auto untagged = MUST(service_->remove("app:2", false, in_use));  // a name is no use
  EXPECT_EQ(untagged.untagged, std::vector<std::string>{"app:2"});
  EXPECT_TRUE(untagged.deleted.empty());
  EXPECT_EQ(service_->remove("app:1", false, in_use).error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(service_->remove(image.id(), false, in_use).error().kind(), ErrorKind::kConflict);

  const Image found = MUST(service_->find("app:1"));
  const UniqueFd tree = container(found);
  EXPECT_EQ(MUST(service_->remove("app:1", true, in_use)).deleted,
            std::vector<std::string>{image.id()});
  EXPECT_EQ(read(tree, "etc/new"), "new");
  EXPECT_EQ(MUST(service_->snapshots().list()).size(), 3U);
  // The layers stay for the container, and go with the next collection after it.
  MUST(service_->snapshots().remove("container"));
  reopen();
  expect_empty();
}

TEST_P(ImageServiceTest, LayersThatARemovedImageLeftGoWithTheLastContainer) {
  MUST(load(docker_archive({two_layers()})));
  const Image image = MUST(service_->find("app:1"));
  auto& snapshots = service_->snapshots();
  MUST(snapshots.prepare("one", image.top_snapshot));
  MUST(snapshots.prepare("two", image.top_snapshot));
  MUST(service_->remove("app:1", true, kNotInUse));
  MUST(snapshots.remove("one"));
  MUST(service_->collect_garbage());
  EXPECT_EQ(MUST(snapshots.list()).size(), 3U);
  MUST(snapshots.remove("two"));
  MUST(service_->collect_garbage());
  expect_empty();
}

TEST_P(ImageServiceTest, LayersThatARemovedImageLeftGoAfterAStartToo) {
  MUST(load(docker_archive({two_layers()})));
  MUST(service_->snapshots().prepare("orphan", MUST(service_->find("app:1")).top_snapshot));
  MUST(service_->remove("app:1", true, kNotInUse));
  reopen();
  MUST(service_->snapshots().remove("orphan"));
  MUST(service_->collect_garbage());
  expect_empty();
}

TEST_P(ImageServiceTest, ADamagedConfigHidesNoOtherImageAndCanBeRepairedOrRemoved) {
  const TestImage damaged = two_layers();
  const TestImage good{{base_layer()}, {"good:1"}, "amd64", "sh"};
  MUST(load(docker_archive({damaged, good})));
  const std::string blob =
      fmt::format("{}/{}/content/blobs/sha256/{}", root(), GetParam(), damaged.id().substr(7));
  const std::string bytes = MUST(sys::read_file(blob));
  const auto write_blob = [&](std::string_view text) {
    MUST(sys::write_all(MUST(sys::open_file(blob, O_WRONLY | O_TRUNC)).get(), text));
  };
  std::string flipped = bytes;
  flipped[10] ^= 1;
  for (const std::string& text : {flipped, bytes.substr(0, 20), std::string()}) {
    write_blob(text);
    reopen();
    EXPECT_EQ(MUST(service_->count()), 2U);
    const auto images = MUST(service_->list());
    ASSERT_EQ(images.size(), 2U);
    EXPECT_EQ(images[0].id, good.id());
    EXPECT_EQ(images[1].id, damaged.id());
    EXPECT_EQ(images[1].repo_tags, std::vector<std::string>{"app:1"});
    EXPECT_EQ(images[1].size, 11);
    EXPECT_EQ(service_->find("app:1").error().kind(), ErrorKind::kCorrupt);
    EXPECT_NE(service_->find("app:1").error().message().find("load the image again"),
              std::string::npos);
  }
  MUST(load(docker_archive({damaged})));
  EXPECT_EQ(MUST(service_->find("app:1")).id, damaged.id());

  write_blob(flipped);
  EXPECT_EQ(MUST(service_->remove("app:1", false, kNotInUse)).deleted.front(), damaged.id());
  MUST(service_->remove("good:1", false, kNotInUse));
  expect_empty();
}

TEST_P(ImageServiceTest, ALostConfigIsLikeADamagedOne) {
  const TestImage image = two_layers();
  MUST(load(docker_archive({image})));
  ASSERT_EQ(::unlink(fmt::format("{}/{}/content/blobs/sha256/{}", root(), GetParam(),
                                 image.id().substr(7))
                         .c_str()),
            0);
  ASSERT_EQ(MUST(service_->list()).size(), 1U);
  EXPECT_EQ(MUST(service_->list())[0].id, image.id());
  MUST(service_->remove(image.id(), false, kNotInUse));
  expect_empty();
}

TEST_P(ImageServiceTest, ALoadedNameMovesToTheNewImage) {
  const TestImage one = two_layers();
  TestImage two = two_layers();
  two.command = "other";
  MUST(load(docker_archive({one})));
  MUST(load(docker_archive({two})));
  EXPECT_EQ(MUST(service_->find("app:1")).id, two.id());
  EXPECT_TRUE(MUST(service_->find(one.id())).repo_tags.empty());
  EXPECT_EQ(MUST(service_->list()).size(), 2U);
}

TEST_P(ImageServiceTest, ImportMakesAnImageOfATree) {
  for (const std::string& tar : {base_layer(), gzip(base_layer()), zstd(base_layer())}) {
    const std::string id = MUST(import(tar, "rootfs"));
    const Image image = MUST(service_->find("rootfs:latest"));
    EXPECT_EQ(image.id, id);
    EXPECT_EQ(image.comment, "made by hand");
    EXPECT_EQ(image.architecture, host_architecture());
    ASSERT_EQ(image.history.size(), 1U);
    EXPECT_EQ(read(container(image), "bin/sh"), "shell");
    MUST(service_->snapshots().remove("container"));
  }
  EXPECT_EQ(MUST(service_->snapshots().list()).size(), 1U);  // one layer, however it was compressed
  EXPECT_EQ(import(base_layer(), "Bad").error().kind(), ErrorKind::kInvalid);
  EXPECT_TRUE(MUST(service_->find(MUST(import(base_layer(), "")))).repo_tags.empty());
}

TEST_P(ImageServiceTest, EverythingOutlivesTheObject) {
  const TestImage image = two_layers();
  MUST(load(docker_archive({image})));
  reopen();
  EXPECT_EQ(MUST(service_->find("app:1")).id, image.id());
  EXPECT_EQ(read(container(MUST(service_->find("app:1"))), "etc/new"), "new");
  EXPECT_EQ(ImageService::open({.root = root(), .driver = ""}).error().kind(),
            ErrorKind::kConflict);
  service_.reset();
  service_ = MUST(ImageService::open({.root = root(), .driver = ""}));  // the driver that is in use
  EXPECT_EQ(service_->snapshots().name(), GetParam());
  EXPECT_TRUE(service_->find("app:1").ok());
}

TEST_P(ImageServiceTest, OpeningRemovesWhatACrashLeft) {
  MUST(load(docker_archive({two_layers()})));
  auto& snapshots = service_->snapshots();
  // A load that died: a layer half unpacked, one committed that no image has yet, a blob, files put
  // aside.
  MUST(snapshots.prepare("unpack-0123", ""));
  MUST(snapshots.prepare("unpack-4567", ""));
  MUST(snapshots.commit("sha256:" + std::string(64, 'a'), "unpack-4567"));
  MUST(snapshots.prepare("workload-1", MUST(service_->find("app:1")).top_snapshot));
  const std::string base = root() + "/" + GetParam();
  MUST(sys::make_dirs(base + "/staging/0123"));
  MUST(sys::open_file(base + "/content/ingest/0123", O_WRONLY | O_CREAT, 0600));
  MUST(sys::open_file(base + "/content/blobs/sha256/" + std::string(64, 'b'), O_WRONLY | O_CREAT,
                      0600));
  reopen();
  std::set<std::string> keys;
  for (const auto& snapshot : MUST(service_->snapshots().list())) keys.insert(snapshot.key);
  EXPECT_EQ(keys.size(), 3U);
  EXPECT_TRUE(keys.contains("workload-1"));
  EXPECT_EQ(files_in("content/blobs/sha256"), 4U);  // config, manifest, two layers
  EXPECT_EQ(files_in("staging"), 0U);
  EXPECT_EQ(files_in("content/ingest"), 0U);
}

TEST_P(ImageServiceTest, LoadsAtOnceShareTheirLayers) {
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        TestImage image = two_layers();
        image.names = {fmt::format("app:{}", i)};
        image.command = fmt::format("command {}", i % 2);
        EXPECT_TRUE(load(docker_archive({image})).ok());
        EXPECT_TRUE(service_->remove(fmt::format("app:{}", i), true, kNotInUse).ok());
        EXPECT_TRUE(load(docker_archive({image})).ok());
      });
    }
  }
  EXPECT_EQ(MUST(service_->list()).size(), 2U);
  EXPECT_EQ(MUST(service_->snapshots().list()).size(), 2U);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(service_->find(fmt::format("app:{}", i)).ok());
}

TEST(ImageServiceDriver, OneThatCannotWorkHereIsSaidAndNotTakenForTheOneInUse) {
  const sys::TempDir dir;
  const std::string root = dir.path() + "/images";
  const auto refused = ImageService::open({.root = root, .driver = "aufs"});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kInvalid);
  if (const auto opened = ImageService::open({.root = root, .driver = "btrfs"}); !opened.ok()) {
    EXPECT_EQ(opened.error().kind(), ErrorKind::kUnsupported);
    EXPECT_TRUE(MUST(sys::list_dir(MUST(sys::open_dir(root)).get())).empty());
  }
  EXPECT_TRUE(ImageService::open({.root = root, .driver = ""}).ok());
}

INSTANTIATE_TEST_SUITE_P(Drivers, ImageServiceTest,
                         ::testing::Values("overlay2", "btrfs", "erofs", "fuse-overlayfs", "vfs"),
                         [](const auto& instance) {
                           std::string name = instance.param;
                           std::erase(name, '-');  // not in the name of a test
                           return name;
                         });

}  // namespace
}  // namespace berth::image
