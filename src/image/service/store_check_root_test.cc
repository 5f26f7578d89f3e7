// A store is damaged in each way that a check names: the check says so and nothing else, repairs
// it, and what is loaded again is whole.
#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>

#include "image/archive/tar_builder_testing.h"
#include "image/image_service.h"
#include "image/load/archive_builder_testing.h"
#include "image/store/image_config.h"
#include "sys/dir.h"
#include "sys/file.h"
#include "sys/temp_dir_testing.h"

namespace berth::image {
namespace {

constexpr auto kNotInUse = [](const std::string&) { return false; };
constexpr auto kInUse = [](const std::string&) { return true; };
constexpr CheckOptions kLook{};
constexpr CheckOptions kQuick{.quick = true};
constexpr CheckOptions kRepair{.repair = true};

class StoreCheckTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    reopen();
    load();
    chain_ = chain_ids(image_.diff_ids());
    const Image found = MUST(service_->find("app:1"));
    for (const auto& entry : std::filesystem::directory_iterator(at("content/blobs/sha256"))) {
      const std::string digest = "sha256:" + entry.path().filename().string();
      if (digest == image_.id()) continue;
      const std::string text = MUST(sys::read_file(entry.path()));
      if (text.starts_with('{')) {
        manifest_ = digest;
      } else {
        layer_ = digest;  // either one
      }
    }
  }

  void reopen() {
    service_.reset();
    service_ = MUST(ImageService::open({.root = root(), .driver = GetParam()}));
  }
  void load() {
    StringSource source(oci_layout({image_}, gzip));
    MUST(service_->load(source));
  }
  std::string root() const { return dir_.path() + "/images"; }
  std::string at(const std::string& path) const {
    return fmt::format("{}/{}/{}", root(), GetParam(), path);
  }
  std::string blob(const std::string& digest) const {
    return at("content/blobs/sha256/" + digest.substr(7));
  }
  /// Another byte in the middle; the size stays.
  void spoil(const std::string& digest) {
    const UniqueFd fd = MUST(sys::open_file(blob(digest), O_RDWR));
    char byte = 0;
    ASSERT_EQ(::pread(fd.get(), &byte, 1, 20), 1);
    byte = static_cast<char>(byte ^ 1);
    ASSERT_EQ(::pwrite(fd.get(), &byte, 1, 20), 1);
  }
  /// Changes the database as nobody could while the store is open.
  void sql(const std::string& text) {
    service_.reset();
    {
      SQLite::Database db(at("metadata.db"), SQLite::OPEN_READWRITE);
      db.exec("PRAGMA foreign_keys=OFF;" + text);
    }
    reopen();
  }
  std::int64_t number_of(const std::string& key) {
    service_.reset();
    std::int64_t id = 0;
    {
      SQLite::Database db(at("metadata.db"), SQLite::OPEN_READWRITE);
      id = db.execAndGet("SELECT id FROM snapshots WHERE key = '" + key + "'").getInt64();
    }
    reopen();
    return id;
  }

  /// "kind: subject", and "(repaired)" where it is.
  std::vector<std::string> check(
      const CheckOptions& options,
      const std::function<bool(const std::string&)>& in_use = kNotInUse) {
    std::vector<std::string> lines;
    for (const Damage& damage : MUST(service_->check(options, in_use)).damages) {
      lines.push_back(fmt::format("{}: {}{}", to_string(damage.kind), damage.subject,
                                  damage.repaired ? " (repaired)" : ""));
    }
    std::ranges::sort(lines);
    return lines;
  }
  using Lines = std::vector<std::string>;

  /// All of these are found, and repaired; then all is well, and is so again with the image loaded.
  void expect_repaired(const Lines& found, const CheckOptions& look = kLook) {
    EXPECT_EQ(check(look), found);
    EXPECT_EQ(check(look), found) << "a look changes nothing";
    Lines repaired;
    for (const std::string& line : found) repaired.push_back(line + " (repaired)");
    EXPECT_EQ(check({.quick = look.quick, .repair = true}), repaired);
    EXPECT_EQ(check(kLook), Lines());
    expect_heals();
  }
  void expect_heals() {
    load();
    EXPECT_EQ(check(kLook), Lines());
    reopen();
    EXPECT_EQ(check(kLook), Lines());
    StringSink saved;
    EXPECT_TRUE(service_->save({"app:1"}, saved).ok()) << "it can be given away, too";
    MUST(service_->snapshots().prepare("look", MUST(service_->find("app:1")).top_snapshot));
    MUST(service_->snapshots().remove("look"));
  }

  class StringSink final : public ByteSink {
   public:
    Result<void> write(std::span<const std::byte>) override { return {}; }
  };

  const TestImage image_{
      {tar_of({{"one", "1"}, {"shared", "1"}}), tar_of({{"two", "2"}, {"shared", "2"}})},
      {"app:1"},
      "amd64",
      "sh"};
  sys::TempDir dir_;
  std::unique_ptr<ImageService> service_;
  std::vector<std::string> chain_;
  std::string manifest_;
  std::string layer_;  // digest of a layer's blob
};

TEST_P(StoreCheckTest, NothingIsWrongWithAStoreThatIsWhole) {
  const CheckReport report = MUST(service_->check(kLook, kNotInUse));
  EXPECT_TRUE(report.well());
  EXPECT_EQ(report.images, 1U);
  EXPECT_EQ(report.snapshots, 2U);
  EXPECT_EQ(report.blobs, 4U);
  EXPECT_EQ(check(kQuick), Lines());
  EXPECT_EQ(check(kRepair), Lines());
  EXPECT_EQ(MUST(service_->count()), 1U);
}

TEST_P(StoreCheckTest, ABlobWithOtherBytesIsMovedAside) {
  spoil(layer_);
  const std::string bad = MUST(sys::read_file(blob(layer_)));
  EXPECT_EQ(check(kQuick), Lines()) << "its size is right";
  expect_repaired({"bad blob: " + layer_});
  std::vector<std::string> aside;
  for (const auto& entry : std::filesystem::directory_iterator(root() + "/quarantine")) {
    EXPECT_TRUE(entry.path().filename().string().starts_with(layer_.substr(7)));
    aside.push_back(MUST(sys::read_file(entry.path())));
  }
  EXPECT_EQ(aside, Lines{bad});
}

TEST_P(StoreCheckTest, ABlobThatIsTooShortIsSeenAtAGlance) {
  ASSERT_EQ(::truncate(blob(layer_).c_str(), 10), 0);
  expect_repaired({"bad blob: " + layer_}, kQuick);
}

TEST_P(StoreCheckTest, WithoutALayersBlobAnImageCanBeUsedAndNotPushed) {
  std::filesystem::remove(blob(layer_));
  EXPECT_EQ(check(kRepair), Lines{"missing blob: " + layer_ + " (repaired)"});
  EXPECT_TRUE(MUST(service_->find("app:1")).top_snapshot == chain_[1]);
  StringSink saved;
  EXPECT_FALSE(service_->save({"app:1"}, saved).ok());
  expect_heals();
}

TEST_P(StoreCheckTest, AManifestThatIsGoneOrBad) {
  std::filesystem::remove(blob(manifest_));
  expect_repaired({"missing blob: " + manifest_});
  spoil(manifest_);
  expect_repaired({"bad blob: " + manifest_});
}

TEST_P(StoreCheckTest, WithoutItsConfigAnImageGoesUnlessAContainerNeedsIt) {
  spoil(image_.id());
  EXPECT_EQ(check(kRepair, kInUse),
            (Lines{"bad blob: " + image_.id() + " (repaired)", "missing blob: " + image_.id()}));
  EXPECT_EQ(MUST(service_->count()), 1U);
  EXPECT_EQ(check(kRepair), Lines{"missing blob: " + image_.id() + " (repaired)"});
  EXPECT_EQ(MUST(service_->count()), 0U);
  expect_heals();
}

TEST_P(StoreCheckTest, ALayerWithoutItsFilesBreaksItsImage) {
  std::filesystem::remove_all(at(fmt::format("s/{}/fs", number_of(chain_[0]))));
  expect_repaired({"broken image: " + image_.id(), "missing tree: " + chain_[0]});
  EXPECT_EQ(MUST(service_->snapshots().list()).size(), 2U);
}

TEST_P(StoreCheckTest, WhatAContainerIsBasedOnStaysWhateverItLacks) {
  MUST(service_->snapshots().prepare("container", chain_[1]));
  std::filesystem::remove_all(at(fmt::format("s/{}", number_of(chain_[0]))));
  const Lines found = {"broken image: " + image_.id(), "missing tree: " + chain_[0]};
  EXPECT_EQ(check(kRepair, kInUse), found);
  EXPECT_EQ(MUST(service_->count()), 1U);
  EXPECT_EQ(MUST(service_->snapshots().list()).size(), 3U);
  MUST(service_->snapshots().remove("container"));
  expect_repaired(found);
}

TEST_P(StoreCheckTest, DirectoriesThatNoSnapshotHas) {
  std::filesystem::create_directories(at("s/4711/fs/usr"));
  std::filesystem::create_directories(at("s/new-0123/fs"));
  expect_repaired({"half-made snapshot: new-0123", "stray tree: 4711"});
  EXPECT_FALSE(std::filesystem::exists(at("s/4711")));
}

TEST_P(StoreCheckTest, ALayerThatNobodyIsUnpackingAnyMore) {
  MUST(service_->snapshots().prepare("unpack-0123", chain_[0]));
  expect_repaired({"half-made snapshot: unpack-0123"});
}

TEST_P(StoreCheckTest, ASnapshotOnNothing) {
  sql("UPDATE snapshots SET parent = 4711 WHERE key = '" + chain_[1] + "'");
  expect_repaired({"broken image: " + image_.id(), "missing parent: " + chain_[1]});
}

TEST_P(StoreCheckTest, ALayerThatIsNotThere) {
  sql("DELETE FROM snapshots WHERE key = '" + chain_[1] + "'");
  expect_repaired({"broken image: " + image_.id()});
}

TEST_P(StoreCheckTest, AnotherUppermostLayerThanTheConfigNames) {
  sql("UPDATE images SET top = '" + chain_[0] + "'");
  // The layer above it belongs to nobody then, and has gone when the store was opened.
  expect_repaired({"broken image: " + image_.id()});
}

TEST_P(StoreCheckTest, RowsThatDoNotParse) {
  const std::string other = "sha256:" + std::string(64, '0');
  sql("INSERT INTO names VALUES('NOT A NAME', '" + image_.id() +
      "');"
      "INSERT INTO names VALUES('docker.io/library/lost:1', '" +
      other +
      "');"
      "INSERT INTO images VALUES('no digest', '', '', 1);"
      "UPDATE layers SET size = -1 WHERE chain_id = '" +
      chain_[0] +
      "';"
      "INSERT INTO snapshots(key, kind) VALUES('a key with spaces', 1);");
  const Lines found = check(kLook);
  EXPECT_EQ(found,
            (Lines{"bad row: images no digest", "bad row: layers " + chain_[0],
                   "bad row: names NOT A NAME", "bad row: names docker.io/library/lost:1",
                   "bad row: snapshots a key with spaces", "missing tree: a key with spaces"}));
  expect_repaired(found);
}

TEST_P(StoreCheckTest, AListOfBlobsThatDoesNotParse) {
  sql("UPDATE blobs SET digest = 'nonsense' WHERE position = 0");
  const Lines found = check(kLook);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front(), "bad row: blobs " + image_.id());
  check(kRepair);
  EXPECT_EQ(check(kLook), Lines());
  expect_heals();
}

TEST_P(StoreCheckTest, WhatCutWritesLeave) {
  const UniqueFd ingest = MUST(sys::open_dir(at("content/ingest")));
  MUST(sys::write_file_atomic(ingest.get(), "cut", "half a bl"));
  std::filesystem::create_directories(at("staging/cut"));
  MUST(sys::write_file_atomic(MUST(sys::open_dir(at("content/blobs/sha256"))).get(),
                              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                              "abc"));
  expect_repaired(
      {"leftover: content/ingest/cut",
       "leftover: sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
       "leftover: staging/cut"});
}

TEST_P(StoreCheckTest, TheSizeOfALayerThatIsNotThereGoesAtTheNextStart) {
  const std::string lost = "sha256:" + std::string(64, 'a');
  sql("INSERT INTO layers(chain_id, size) VALUES('" + lost + "', 5)");
  EXPECT_EQ(MUST(service_->usage()).total, MUST(service_->usage()).images.at(image_.id()).size);
  EXPECT_EQ(check(kLook), Lines());
}

TEST_P(StoreCheckTest, ADatabaseThatIsDamagedIsNamedAndNotTouched) {
  service_.reset();
  {
    SQLite::Database db(at("metadata.db"), SQLite::OPEN_READWRITE);
    db.exec(
        "PRAGMA writable_schema=ON;"
        "UPDATE sqlite_schema SET sql = replace(sql, 'parent)', 'kind)')"
        " WHERE name = 'snapshots_by_parent';");
  }
  reopen();
  const Lines found = check(kRepair);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front(), "damaged database: metadata.db");
  EXPECT_EQ(MUST(service_->count()), 1U);
}

/// What is being made or removed is not damage.
TEST_P(StoreCheckTest, RunsBesideEverythingElse) {
  std::atomic<bool> done = false;
  std::jthread worker([&] {
    for (int i = 0; i < 12; ++i) {
      const TestImage other{{tar_of({{"f", std::string(200'000, 'x') + std::to_string(i)}}),
                             tar_of({{"g", std::to_string(i)}})},
                            {"other:1"},
                            "amd64",
                            "sh"};
      StringSource source(docker_archive({other}), 5000);
      MUST(service_->load(source));
      MUST(service_->snapshots().prepare("container", chain_ids(other.diff_ids())[1]));
      MUST(service_->snapshots().remove("container"));
      MUST(service_->remove("other:1", true, kNotInUse));
    }
    done = true;
  });
  int checks = 0;
  while (!done) {
    EXPECT_EQ(check(++checks % 2 == 0 ? kRepair : kLook), Lines());
  }
  EXPECT_GT(checks, 2);
}

INSTANTIATE_TEST_SUITE_P(Drivers, StoreCheckTest, ::testing::Values("overlay2", "vfs"),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace berth::image
