#include "image/content/content_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <thread>

#include "image/content/hasher.h"
#include "sys/dir.h"
#include "sys/file.h"
#include "sys/temp_dir_testing.h"

namespace berth::image {
namespace {

// FIPS 180-2, appendix B.1.
constexpr std::string_view kAbc =
    "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

class ContentStoreTest : public ::testing::Test {
 protected:
  std::size_t files_in(const std::string& sub) {
    return MUST(sys::list_dir(MUST(sys::open_dir(dir_.path() + "/" + sub)).get())).size();
  }
  sys::TempDir dir_;
};

/// Fails in the middle, as a connection does.
class BrokenSource final : public ByteSource {
 public:
  Result<std::size_t> read(std::span<std::byte> into) override {
    if (given_) return fail(ErrorKind::kInternal, "connection lost");
    given_ = true;
    into[0] = std::byte{'a'};
    return 1U;
  }

 private:
  bool given_ = false;
};

TEST_F(ContentStoreTest, KeepsBlobsUnderTheirDigest) {
  auto store = MUST(ContentStore::open(dir_.path()));
  const BlobInfo blob = MUST(store.put("abc"));
  EXPECT_EQ(blob.digest.str(), kAbc);
  EXPECT_EQ(blob.size, 3U);
  EXPECT_EQ(MUST(store.read(blob.digest, 100)), "abc");
  EXPECT_EQ(store.read(blob.digest, 2).error().kind(), ErrorKind::kExhausted);
  EXPECT_EQ(MUST(store.list()).size(), 1U);
  MUST(store.remove(blob.digest));
  EXPECT_EQ(store.remove(blob.digest).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(store.stat(blob.digest).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(store.open_blob(blob.digest).error().kind(), ErrorKind::kNotFound);
}

TEST_F(ContentStoreTest, WrongDigestSizeOrBrokenSourceLeavesNothing) {
  auto store = MUST(ContentStore::open(dir_.path()));
  MUST(sys::write_file_atomic(dir_.fd(), "source", "abd"));
  for (const BlobClaim& claim : {BlobClaim{std::string(kAbc), -1}, BlobClaim{"", 2}}) {
    sys::FdSource source(MUST(sys::open_at(dir_.fd(), "source", O_RDONLY)));
    EXPECT_EQ(store.ingest(source, claim).error().kind(), ErrorKind::kCorrupt);
  }
  BrokenSource broken;
  EXPECT_EQ(store.ingest(broken).error().message(), "store a blob: connection lost");
  EXPECT_EQ(files_in("ingest"), 0U);
  EXPECT_EQ(files_in("blobs/sha256"), 0U);
}

// FIPS 180-2, appendix C.1.
constexpr std::string_view kAbc512 =
    "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

TEST_F(ContentStoreTest, KeepsBlobsThatSha512Names) {
  auto store = MUST(ContentStore::open(dir_.path()));
  const Digest longer = MUST(Digest::parse(kAbc512));
  EXPECT_EQ(MUST(store.put("abc", longer)).digest, longer);
  EXPECT_EQ(MUST(store.put("abc")).digest.str(), kAbc);
  EXPECT_EQ(store.put("abd", longer).value().digest == longer, false);
  EXPECT_EQ(MUST(store.read(longer, 100)), "abc");
  EXPECT_EQ(MUST(store.list()).size(), 3U);
  MUST(sys::write_file_atomic(dir_.fd(), "source", "abc"));
  sys::FdSource source(MUST(sys::open_at(dir_.fd(), "source", O_RDONLY)));
  EXPECT_EQ(MUST(store.ingest(source, {std::string(kAbc512), 3})).digest, longer);
  MUST(store.remove(longer));
  EXPECT_EQ(store.stat(longer).error().kind(), ErrorKind::kNotFound);
  EXPECT_TRUE(store.stat(MUST(Digest::parse(kAbc))).ok());
}

TEST_F(ContentStoreTest, OpeningRemovesWhatACrashLeftAndKeepsBlobs) {
  const Digest digest = MUST(MUST(ContentStore::open(dir_.path())).put("abc")).digest;
  MUST(sys::open_at(dir_.fd(), "ingest/half", O_WRONLY | O_CREAT, 0600));
  auto store = MUST(ContentStore::open(dir_.path()));
  EXPECT_EQ(files_in("ingest"), 0U);
  EXPECT_EQ(MUST(store.read(digest, 100)), "abc");
}

TEST_F(ContentStoreTest, DamageOnDiskIsFoundWhenReading) {
  auto store = MUST(ContentStore::open(dir_.path()));
  const Digest digest = MUST(store.put("abc")).digest;
  const UniqueFd blob = MUST(
      sys::open_at(dir_.fd(), "blobs/sha256/" + std::string(digest.hex()), O_WRONLY | O_TRUNC));
  MUST(sys::write_all(blob.get(), "abd"));
  EXPECT_EQ(store.read(digest, 100).error().kind(), ErrorKind::kCorrupt);
}

TEST_F(ContentStoreTest, WritersOfTheSameBlobRaceSafely) {
  auto store = MUST(ContentStore::open(dir_.path()));
  const std::string bytes(200000, 'x');
  {
    std::vector<std::jthread> writers;
    for (int i = 0; i < 4; ++i) {
      writers.emplace_back([&] {
        for (int round = 0; round < 5; ++round) EXPECT_TRUE(store.put(bytes).ok());
      });
    }
  }
  EXPECT_EQ(MUST(store.read(sha256_of(bytes), 1U << 20)), bytes);
  EXPECT_EQ(files_in("blobs/sha256"), 1U);
  EXPECT_EQ(files_in("ingest"), 0U);
}

TEST_F(ContentStoreTest, WhatIsNotItsDigestCanBeToldAndMovedAside) {
  auto store = MUST(ContentStore::open(dir_.path()));
  const Digest digest = MUST(store.put("abc")).digest;
  MUST(store.verify(digest));
  const UniqueFd blobs = MUST(sys::open_dir(dir_.path() + "/blobs/sha256"));
  MUST(sys::write_file_atomic(blobs.get(), std::string(digest.hex()), "abd"));
  EXPECT_EQ(store.verify(digest).error().kind(), ErrorKind::kCorrupt);
  const UniqueFd aside = MUST(sys::make_dir_at(dir_.fd(), "aside"));
  const std::string first = MUST(store.quarantine(digest, aside.get()));
  EXPECT_EQ(MUST(sys::read_file_at(aside.get(), first)), "abd");
  EXPECT_EQ(store.verify(digest).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(store.quarantine(digest, aside.get()).error().kind(), ErrorKind::kNotFound);
  MUST(store.put("abc"));
  EXPECT_NE(MUST(store.quarantine(digest, aside.get())), first);
}

TEST_F(ContentStoreTest, TellsWhatIsUnfinished) {
  auto store = MUST(ContentStore::open(dir_.path()));
  {
    const auto writer = MUST(ContentStore::Writer::create(store));
    const auto names = MUST(store.unfinished());
    ASSERT_EQ(names.size(), 1U);
    MUST(store.remove_unfinished(names[0]));
  }
  EXPECT_TRUE(MUST(store.unfinished()).empty());
}

}  // namespace
}  // namespace berth::image
