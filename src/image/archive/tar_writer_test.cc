#include "image/archive/tar_writer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "image/archive/tar_builder_testing.h"

namespace berth::image {
namespace {

class StringSink final : public ByteSink {
 public:
  Result<void> write(std::span<const std::byte> bytes) override {
    if (text.size() + bytes.size() > limit) return fail(ErrorKind::kExhausted, "full");
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }
  std::string text;
  std::size_t limit = SIZE_MAX;
};

TarEntry entry(TarEntry::Kind kind, std::string path) {
  TarEntry made;
  made.kind = kind;
  made.path = std::move(path);
  made.mode = 0644;
  made.mtime = {1'000'000'000, 0};
  return made;
}

std::string written(const std::vector<TarEntry>& entries) {
  StringSink sink;
  TarWriter writer(sink);
  for (const TarEntry& one : entries) {
    MUST(writer.begin(one));
    MUST(writer.fill_up());
  }
  MUST(writer.finish());
  return sink.text;
}

/// What the reader makes of what the writer wrote of it.
TarEntry read_back(const TarEntry& one) {
  StringSource source(written({one}));
  TarReader reader = MUST(TarReader::open(source));
  TarEntry back;
  EXPECT_TRUE(MUST(reader.next(back)));
  return back;
}

void expect_same(const TarEntry& one) {
  const TarEntry back = read_back(one);
  EXPECT_EQ(back.kind, one.kind);
  EXPECT_EQ(back.path, one.path);
  EXPECT_EQ(back.link, one.link);
  EXPECT_EQ(back.mode, one.mode);
  EXPECT_EQ(back.uid, one.uid);
  EXPECT_EQ(back.gid, one.gid);
  EXPECT_EQ(back.size, one.size);
  EXPECT_EQ(back.mtime.tv_sec, one.mtime.tv_sec);
  EXPECT_EQ(back.mtime.tv_nsec, one.mtime.tv_nsec);
  EXPECT_EQ(back.device_major, one.device_major);
  EXPECT_EQ(back.device_minor, one.device_minor);
  EXPECT_TRUE(std::ranges::is_permutation(back.xattrs, one.xattrs));
}

TEST(TarWriter, EveryKindComesBack) {
  TarEntry file = entry(TarEntry::Kind::kFile, "dir/file");
  file.mode = 04755;
  file.uid = 1000;
  file.gid = 2000;
  file.size = 700;
  expect_same(file);
  expect_same(entry(TarEntry::Kind::kDirectory, "dir/"));
  TarEntry link = entry(TarEntry::Kind::kSymlink, "link");
  link.link = "../else where";
  expect_same(link);
  link.kind = TarEntry::Kind::kHardlink;
  link.link = "dir/file";
  expect_same(link);
  TarEntry device = entry(TarEntry::Kind::kCharDevice, "null");
  device.device_major = 4095;
  device.device_minor = 1'048'575;
  expect_same(device);
  device.kind = TarEntry::Kind::kBlockDevice;
  expect_same(device);
  expect_same(entry(TarEntry::Kind::kFifo, "pipe"));
}

TEST(TarWriter, WhatUstarCannotHoldIsInRecords) {
  TarEntry odd = entry(TarEntry::Kind::kFile, std::string(300, 'n') + "\n\xff\xc3\xa9");
  odd.uid = 3'000'000'000;
  odd.gid = 2'097'152;
  odd.mtime = {1'234'567'890, 123'456'700};
  odd.xattrs = {{"security.capability", std::string("\1\0\0\2\0\n\xff", 7)},
                {"user.note", std::string(70'000, 'v')}};
  expect_same(odd);
  TarEntry link = entry(TarEntry::Kind::kSymlink, "l");
  link.link = std::string(101, 't');
  expect_same(link);
  link.link = "n\xc3\xa9";
  expect_same(link);
}

TEST(TarWriter, LargeFilesAndOldTimesAreToldInFull) {
  // Only the head: nobody writes eight gigabytes for a test.
  StringSink sink;
  TarWriter writer(sink);
  TarEntry large = entry(TarEntry::Kind::kFile, "large");
  large.size = 8ULL << 30;
  large.mtime = {-2, 500'000'000};
  MUST(writer.begin(large));
  EXPECT_EQ(writer.missing(), large.size);
  MUST(writer.write(std::vector<std::byte>(std::size_t{1} << 20)));
  EXPECT_NE(sink.text.find("19 size=8589934592\n"), std::string::npos);
  EXPECT_NE(sink.text.find("14 mtime=-1.5\n"), std::string::npos);
}

TEST(TarWriter, WhatFitsHasNoRecords) {
  const std::string text = written({entry(TarEntry::Kind::kFile, std::string(100, 'n'))});
  EXPECT_EQ(text.size(), 512U + 1024U);
  EXPECT_EQ(text[156], '0');
}

TEST(TarWriter, AnAttributeThatThePaxFormatCannotNameIsLeftOut) {
  TarEntry file = entry(TarEntry::Kind::kFile, "f");
  file.xattrs = {{"user.a=b", "1"}, {"user.c", "2"}};
  const TarEntry back = read_back(file);
  ASSERT_EQ(back.xattrs.size(), 1U);
  EXPECT_EQ(back.xattrs[0].first, "user.c");
}

TEST(TarWriter, TheSameEntriesMakeTheSameBytes) {
  TarEntry file = entry(TarEntry::Kind::kFile, "f\xff");
  file.size = 5;
  EXPECT_EQ(written({file, file}), written({file, file}));
}

TEST(TarWriter, AFileHasAsManyBytesAsItSays) {
  StringSink sink;
  TarWriter writer(sink);
  TarEntry file = entry(TarEntry::Kind::kFile, "f");
  file.size = 3;
  MUST(writer.begin(file));
  EXPECT_EQ(writer.write(std::vector<std::byte>(4)).error().kind(), ErrorKind::kInternal);
  MUST(writer.write(std::vector<std::byte>(2)));
  EXPECT_EQ(writer.begin(file).error().kind(), ErrorKind::kInternal);
  MUST(writer.fill_up());
  MUST(writer.begin(file));
}

TEST(TarWriter, AnErrorOfTheSinkComesThrough) {
  StringSink sink;
  sink.limit = 1000;
  TarWriter writer(sink);
  MUST(writer.begin(entry(TarEntry::Kind::kDirectory, "d")));
  EXPECT_EQ(writer.finish().error().message(), "full");
}

}  // namespace
}  // namespace berth::image
