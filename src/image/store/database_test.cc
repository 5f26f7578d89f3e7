#include "image/store/database.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include "image/store/image_store.h"
#include "sys/file.h"
#include "sys/temp_dir_testing.h"

namespace berth::image {
namespace {

class DatabaseTest : public ::testing::Test {
 protected:
  std::string path() const { return dir_.path() + "/metadata.db"; }
  sys::TempDir dir_;
};

ImageRecord record(char digit, std::vector<std::string> names) {
  return {"sha256:" + std::string(64, digit), "", "", 5, std::move(names), {}};
}

TEST_F(DatabaseTest, AFailedTransactionLeavesNothing) {
  const auto database = MUST(Database::open(path()));
  const auto failed = database->transaction([](SQLite::Database& db) -> Result<void> {
    db.exec("INSERT INTO layers VALUES('sha256:a', 1, '')");
    return fail(ErrorKind::kInternal, "on purpose");
  });
  EXPECT_EQ(failed.error().message(), "on purpose");
  EXPECT_EQ(MUST(ImageStore(*database).layer_size("sha256:a")), 0);
}

TEST_F(DatabaseTest, BrokenRulesAreConflictsAndBadSqlIsInternal) {
  const auto database = MUST(Database::open(path()));
  const auto twice = database->transaction([](SQLite::Database& db) -> Result<void> {
    db.exec("INSERT INTO layers VALUES('sha256:a', 1, '')");
    db.exec("INSERT INTO layers VALUES('sha256:a', 2, '')");
    return {};
  });
  EXPECT_EQ(twice.error().kind(), ErrorKind::kConflict);
  const auto bad = database->read([](SQLite::Database& db) -> Result<void> {
    db.exec("nonsense");
    return {};
  });
  EXPECT_EQ(bad.error().kind(), ErrorKind::kInternal);
}

TEST_F(DatabaseTest, WhatTheFirstVersionMadeIsBroughtToThisOne) {
  {
    const auto database = MUST(Database::open(path()));
    MUST(database->transaction([](SQLite::Database& db) -> Result<void> {
      db.exec(
          "DROP TABLE blobs; ALTER TABLE layers DROP COLUMN blob; PRAGMA user_version=1;"
          "INSERT INTO layers VALUES('sha256:a', 7)");
      return {};
    }));
  }
  const auto database = MUST(Database::open(path()));
  ImageStore store(*database);
  EXPECT_EQ(MUST(store.layer_size("sha256:a")), 7);
  EXPECT_EQ(MUST(store.layer_blob("sha256:a")), "");
  MUST(store.set_layer_blob("sha256:a", "sha256:b"));
  EXPECT_EQ(MUST(store.layer_blob("sha256:a")), "sha256:b");
}

TEST_F(DatabaseTest, AnImageThatComesAgainHasTheBlobsOfItsNewManifest) {
  const auto database = MUST(Database::open(path()));
  ImageStore store(*database);
  ImageRecord image = record('a', {"docker.io/library/a:1"});
  image.manifest = "sha256:m1";
  image.blobs = {"sha256:1", "sha256:2", "sha256:1"};
  MUST(store.add({image}));
  EXPECT_EQ(MUST(store.get(image.id))->blobs, image.blobs);
  image.manifest = "sha256:m2";
  image.blobs = {"sha256:3"};
  MUST(store.add({image}));
  EXPECT_EQ(MUST(store.list()).front().blobs, image.blobs);
  EXPECT_EQ(MUST(store.list()).front().manifest, "sha256:m2");
  EXPECT_TRUE(MUST(store.remove(*MUST(store.get(image.id)))));
  EXPECT_EQ(MUST(store.count()), 0U);
}

TEST_F(DatabaseTest, RefusesWhatANewerProgramOrNobodyMade) {
  {
    const auto database = MUST(Database::open(path()));
    MUST(database->read([](SQLite::Database& db) -> Result<void> {
      db.exec("PRAGMA user_version=3");
      return {};
    }));
  }
  EXPECT_EQ(Database::open(path()).error().kind(), ErrorKind::kUnsupported);
  MUST(sys::write_file_atomic(dir_.fd(), "garbage.db", std::string(8192, 'x')));
  EXPECT_EQ(Database::open(dir_.path() + "/garbage.db").error().kind(), ErrorKind::kCorrupt);
}

TEST_F(DatabaseTest, ImagesAndNamesOutliveTheObject) {
  {
    const auto database = MUST(Database::open(path()));
    MUST(ImageStore(*database).add({record('a', {"x/a:1", "x/b:1"}), record('b', {})}));
  }
  const auto database = MUST(Database::open(path()));
  ImageStore images(*database);
  EXPECT_EQ(MUST(images.list()).size(), 2U);
  EXPECT_EQ(MUST(images.get(record('a', {}).id))->names.size(), 2U);
  EXPECT_EQ(MUST(images.ids_starting_with("sha256:")).size(), 2U);
  EXPECT_EQ(MUST(images.ids_starting_with("sha256:aa")).size(), 1U);
  EXPECT_EQ(images.set_name("x/c:1", "sha256:none").error().kind(), ErrorKind::kNotFound);
  MUST(images.set_name("x/b:1", record('b', {}).id));
  EXPECT_EQ(MUST(images.id_of("x/b:1")), record('b', {}).id);
}

TEST_F(DatabaseTest, AnImageThatGotANameMeanwhileIsNotRemoved) {
  const auto database = MUST(Database::open(path()));
  ImageStore images(*database);
  MUST(images.add({record('a', {"x/a:1"})}));
  const ImageRecord seen = *MUST(images.get(record('a', {}).id));
  MUST(images.set_name("x/b:1", seen.id));
  EXPECT_FALSE(MUST(images.remove(seen)));
  EXPECT_TRUE(MUST(images.remove(*MUST(images.get(seen.id)))));
  EXPECT_FALSE(MUST(images.get(seen.id)).has_value());
}

}  // namespace
}  // namespace berth::image
