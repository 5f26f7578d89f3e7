// Commit: what it makes of a snapshot, and what a commit that fails leaves: nothing.
#include <gtest/gtest.h>
#include <unistd.h>

#include "image/archive/tar_builder_testing.h"
#include "image/image_service.h"
#include "image/snapshot/mounted_testing.h"
#include "image/snapshot/tree_testing.h"
#include "image/store/image_config.h"
#include "sys/temp_dir_testing.h"

namespace berth::image {
namespace {

class CommitTest : public ::testing::TestWithParam<std::string> {
 protected:
  CommitTest() : service_(open()) {
    StringSource tar(TarBuilder().file("old", "1").finish());
    base_ = MUST(service_->import(tar, {.reference = "base:1", .message = "", .config = {}}));
    tree_ = MUST(mount_detached(
        MUST(service_->snapshots().prepare("work", MUST(service_->find(base_)).top_snapshot))));
  }

  std::unique_ptr<ImageService> open() const {
    return MUST(ImageService::open({.root = dir_.path() + "/images", .driver = GetParam()}));
  }
  ImageService::CommitOptions options(std::string reference = "") const {
    return {.snapshot = "work",
            .base = base_,
            .reference = std::move(reference),
            .author = "Jane",
            .comment = "why",
            .created_by = "sh",
            .config = {}};
  }
  std::size_t snapshots() const { return MUST(service_->snapshots().list()).size(); }

  sys::TempDir dir_;
  std::unique_ptr<ImageService> service_;
  std::string base_;
  UniqueFd tree_;
};

INSTANTIATE_TEST_SUITE_P(Drivers, CommitTest, ::testing::Values("overlay2", "vfs"),
                         [](const auto& instance) { return instance.param; });

TEST_P(CommitTest, TheImageHasOneLayerMore) {
  write(tree_.get(), "new", "22");
  const std::string id = MUST(service_->commit(options("made:1")));
  const Image made = MUST(service_->inspect("made:1"));
  const Image base = MUST(service_->find(base_));
  EXPECT_EQ(made.id, id);
  EXPECT_EQ(made.author, "Jane");
  EXPECT_EQ(made.comment, "why");
  ASSERT_EQ(made.diff_ids.size(), 2U);
  EXPECT_EQ(made.diff_ids[0], base.diff_ids[0]);
  EXPECT_EQ(made.top_snapshot, chain_ids(made.diff_ids)[1]);
  EXPECT_EQ(made.layer_sizes, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(made.size, 3);
  ASSERT_EQ(made.history.size(), 2U);
  EXPECT_EQ(made.history[1].author, "Jane");
  EXPECT_EQ(made.history[1].created_by, "sh");
  EXPECT_FALSE(made.history[1].empty_layer);
  const StoreUsage usage = MUST(service_->usage());
  ASSERT_EQ(usage.images.size(), 2U);
  const StoreUsage::OfImage& theirs = usage.images.at(base_);
  const StoreUsage::OfImage& ours = usage.images.at(id);
  EXPECT_GT(ours.shared, 1);  // a file of one byte, and the blob that it came in
  EXPECT_EQ(ours.shared, theirs.shared);
  EXPECT_GT(ours.size, ours.shared + 2);
  EXPECT_EQ(usage.total, ours.size + theirs.size - ours.shared);
  const UniqueFd shown =
      MUST(mount_detached(MUST(service_->snapshots().prepare("other", made.top_snapshot))));
  EXPECT_EQ(names(shown.get()), (Names{"new", "old"}));
}

TEST_P(CommitTest, WithoutAChangeTheLayersAreTheBases) {
  const std::size_t before = snapshots();
  const Image made = MUST(service_->find(MUST(service_->commit(options()))));
  EXPECT_EQ(made.diff_ids, MUST(service_->find(base_)).diff_ids);
  EXPECT_TRUE(made.history.back().empty_layer);
  EXPECT_EQ(snapshots(), before);
}

TEST_P(CommitTest, TheSameChangesAreTheSameLayer) {
  write(tree_.get(), "new", "22");
  const Image first = MUST(service_->find(MUST(service_->commit(options()))));
  const std::size_t before = snapshots();
  const Image second = MUST(service_->find(MUST(service_->commit(options()))));
  EXPECT_EQ(first.diff_ids, second.diff_ids);
  EXPECT_EQ(snapshots(), before);
}

TEST_P(CommitTest, TheImageOutlivesItsBaseAndItsContainer) {
  write(tree_.get(), "new", "22");
  const Image made = MUST(service_->find(MUST(service_->commit(options("made:1")))));
  tree_.reset();
  MUST(service_->snapshots().remove("work"));
  MUST(service_->remove("base:1", false, {}));
  service_.reset();
  service_ = open();
  const UniqueFd shown =
      MUST(mount_detached(MUST(service_->snapshots().prepare("other", made.top_snapshot))));
  EXPECT_EQ(names(shown.get()), (Names{"new", "old"}));
}

TEST_P(CommitTest, OneThatFailsLeavesNothing) {
  write(tree_.get(), "large", std::string(3U << 20, 'x'));
  write(tree_.get(), "z.wh", "");
  write(tree_.get(), ".wh.old", "");
  const std::size_t before = snapshots();
  const auto failed = service_->commit(options("made:1"));
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().kind(), ErrorKind::kInvalid) << failed.error().message();
  EXPECT_EQ(snapshots(), before);
  EXPECT_EQ(MUST(service_->count()), 1U);
}

TEST_P(CommitTest, WhatItCannotMakeIsSaid) {
  auto wanted = options("made@sha256:" + std::string(64, 'a'));
  EXPECT_EQ(service_->commit(wanted).error().kind(), ErrorKind::kInvalid);
  wanted = options();
  wanted.base = "sha256:" + std::string(64, 'a');
  EXPECT_EQ(service_->commit(wanted).error().kind(), ErrorKind::kNotFound);
  wanted = options();
  wanted.snapshot = "none";
  EXPECT_EQ(service_->commit(wanted).error().kind(), ErrorKind::kNotFound);
}

TEST_P(CommitTest, AnImageHasSoManyLayersAndNoMore) {
  std::string top = base_;
  for (std::size_t i = 1; i < kMaxLayers; ++i) {
    const std::string key = fmt::format("work{}", i);
    const UniqueFd tree = MUST(mount_detached(
        MUST(service_->snapshots().prepare(key, MUST(service_->find(top)).top_snapshot))));
    write(tree.get(), "f", std::to_string(i));
    auto wanted = options();
    wanted.snapshot = key;
    wanted.base = top;
    top = MUST(service_->commit(wanted));
  }
  MUST(service_->snapshots().prepare("last", MUST(service_->find(top)).top_snapshot));
  auto wanted = options();
  wanted.snapshot = "last";
  wanted.base = top;
  const auto refused = service_->commit(wanted);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message().find("max depth exceeded"), std::string::npos);
}

}  // namespace
}  // namespace berth::image
