#include "engine/record_store.h"

#include <SQLiteCpp/Database.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace berth::engine {
namespace {

class RecordStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/records-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string path() const { return directory_ + "/engine.db"; }
  static WorkloadView view(std::string name) {
    WorkloadView made;
    made.id = random_id<WorkloadId>();
    made.name = std::move(name);
    return made;
  }

  std::string directory_;
};

TEST_F(RecordStoreTest, WhatWasInsertedIsThereAfterReopening) {
  const WorkloadView one = view("one");
  std::string engine_id;
  {
    const auto store = *RecordStore::open(path());
    ASSERT_TRUE(store->insert(one).ok());
    engine_id = store->engine_id();
  }
  const auto store = *RecordStore::open(path());
  const auto all = store->load_all();
  ASSERT_TRUE(all.ok());
  ASSERT_EQ(all->size(), 1U);
  EXPECT_EQ(all->front().id, one.id);
  EXPECT_EQ(store->engine_id(), engine_id);
}

TEST_F(RecordStoreTest, NamesAreUnique) {
  const auto store = *RecordStore::open(path());
  ASSERT_TRUE(store->insert(view("one")).ok());
  EXPECT_EQ(store->insert(view("one")).error().kind(), ErrorKind::kConflict);
}

TEST_F(RecordStoreTest, UpdateReplacesAndNeedsARecord) {
  const auto store = *RecordStore::open(path());
  WorkloadView one = view("one");
  EXPECT_EQ(store->update(one).error().kind(), ErrorKind::kNotFound);
  ASSERT_TRUE(store->insert(one).ok());
  one.name = "uno";
  ASSERT_TRUE(store->update(one).ok());
  EXPECT_EQ(store->load_all()->front().name, "uno");
}

TEST_F(RecordStoreTest, EraseIsIdempotent) {
  const auto store = *RecordStore::open(path());
  const WorkloadView one = view("one");
  ASSERT_TRUE(store->insert(one).ok());
  EXPECT_TRUE(store->erase(one.id).ok());
  EXPECT_TRUE(store->erase(one.id).ok());
  EXPECT_TRUE(store->load_all()->empty());
}

TEST_F(RecordStoreTest, ADamagedRecordIsAWorkloadThatCanOnlyBeRemoved) {
  WorkloadView one = view("one");
  ASSERT_TRUE((*RecordStore::open(path()))->insert(one).ok());
  SQLite::Database(path(), SQLite::OPEN_READWRITE)
      .exec("UPDATE workloads SET record = '{\"id\": tru'");
  const auto store = *RecordStore::open(path());
  const auto all = store->load_all();
  ASSERT_TRUE(all.ok()) << all.error().message();
  ASSERT_EQ(all->size(), 1U);
  EXPECT_EQ(all->front().id, one.id);
  EXPECT_EQ(all->front().name, "one");
  EXPECT_NE(all->front().status.error.find("damaged"), std::string::npos);
  EXPECT_TRUE(store->is_damaged(one.id));
  EXPECT_EQ(store->update(one).error().kind(), ErrorKind::kCorrupt);
  EXPECT_TRUE(store->erase(one.id).ok());
}

TEST_F(RecordStoreTest, SpaceForARemovalIsHeld) {
  const auto store = *RecordStore::open(path());
  EXPECT_GT(std::filesystem::file_size(path() + ".reserve"), 0U);
}

TEST_F(RecordStoreTest, ForeignFileIsRefusedAndKept) {
  std::ofstream(path()) << "this is not a database, and it is long enough to look at";
  const auto store = RecordStore::open(path());
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().kind(), ErrorKind::kCorrupt);
  EXPECT_TRUE(std::filesystem::exists(path()));
}

}  // namespace
}  // namespace berth::engine
