#include "image/archive/gzip_writer.h"

#include <gtest/gtest.h>

#include <string>

#include "image/archive/decompress.h"
#include "image/archive/tar_builder_testing.h"

namespace berth::image {
namespace {

std::string compress(const std::string& text, std::size_t piece) {
  std::string all;
  GzipWriter writer([&](std::span<const std::byte> bytes) -> Result<void> {
    all.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  });
  const auto bytes = std::as_bytes(std::span(text));
  for (std::size_t at = 0; at < text.size(); at += piece)
    MUST(writer.write(bytes.subspan(at, std::min(piece, text.size() - at))));
  MUST(writer.finish());
  return all;
}

std::string decompress_all(std::string compressed) {
  StringSource source(std::move(compressed));
  const auto plain = MUST(decompress(source));
  std::string all;
  std::byte buffer[4096];
  while (const std::size_t count = MUST(plain->read(buffer)))
    all.append(reinterpret_cast<const char*>(buffer), count);
  return all;
}

// Runs, and what does not compress.
std::string sample(std::size_t size) {
  std::string text;
  std::uint32_t state = 1;
  while (text.size() < size) {
    state = state * 1664525U + 1013904223U;
    text.append((state >> 24) % 32U + 1, static_cast<char>(state >> 16));
  }
  return text;
}

TEST(GzipWriterTest, WhatComesOutUnpacksToWhatWentIn) {
  for (const std::size_t size : {0U, 1U, 511U, 65536U, 3'000'000U}) {
    const std::string text = sample(size);
    EXPECT_EQ(decompress_all(compress(text, 100'000)), text) << size;
  }
}

TEST(GzipWriterTest, NothingGoesIntoItButTheBytes) {
  const std::string text = sample(100'000);
  EXPECT_EQ(compress(text, 4096), compress(text, 4096));
  EXPECT_LT(compress(text, 4096).size(), text.size());
}

TEST(GzipWriterTest, AFullDiskIsTold) {
  GzipWriter writer([](std::span<const std::byte>) -> Result<void> {
    return fail(ErrorKind::kExhausted, "no space left on device");
  });
  const std::string text = sample(3'000'000);
  auto done = writer.write(std::as_bytes(std::span(text)));
  if (done.ok()) done = writer.finish();
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().kind(), ErrorKind::kExhausted);
}

}  // namespace
}  // namespace berth::image
