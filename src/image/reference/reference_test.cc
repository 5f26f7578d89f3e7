#include "image/reference/reference.h"

#include <gtest/gtest.h>

#include <string>

namespace berth::image {
namespace {

const std::string kHex(64, 'a');

TEST(Reference, NormalisesAndPrintsTheFamiliarForm) {
  struct Row {
    std::string text, full, familiar;
  };
  const Row rows[] = {
      {"busybox", "docker.io/library/busybox", "busybox"},
      {"busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"},
      {"docker.io/busybox", "docker.io/library/busybox", "busybox"},
      {"index.docker.io/library/busybox", "docker.io/library/busybox", "busybox"},
      {"me/app", "docker.io/me/app", "me/app"},
      {"library/me/app", "docker.io/library/me/app", "library/me/app"},
      {"localhost/app", "localhost/app", "localhost/app"},
      {"docker.io/ghcr.io/a", "docker.io/ghcr.io/a", "docker.io/ghcr.io/a"},
      {"library/" + kHex, "docker.io/library/" + kHex, "library/" + kHex},
      {"docker.io/library/a.b", "docker.io/library/a.b", "a.b"},
      {"LOCAL/app", "LOCAL/app", "LOCAL/app"},
      {"host:5000/a/b:t", "host:5000/a/b:t", "host:5000/a/b:t"},
      {"ghcr.io/a__b/c-d.e_f---g", "ghcr.io/a__b/c-d.e_f---g", "ghcr.io/a__b/c-d.e_f---g"},
      {"[2001:db8::1]:5000/a", "[2001:db8::1]:5000/a", "[2001:db8::1]:5000/a"},
      {"a:b@sha256:" + kHex, "docker.io/library/a:b@sha256:" + kHex, "a:b@sha256:" + kHex},
      {"a@sha256:" + kHex, "docker.io/library/a@sha256:" + kHex, "a@sha256:" + kHex},
  };
  for (const Row& row : rows) {
    const auto ref = Reference::parse(row.text);
    ASSERT_TRUE(ref.ok()) << row.text;
    EXPECT_EQ(ref->str(), row.full);
    EXPECT_EQ(ref->familiar(), row.familiar);
    EXPECT_EQ(MUST(Reference::parse(ref->familiar())), *ref) << row.text;
  }
}

TEST(Reference, RefusesWhatTheGrammarDoesNotHave) {
  for (const std::string& text :
       {std::string(""), std::string(":tag"), std::string("a:"), std::string("a b"),
        std::string("/a"), std::string("a/"), std::string("a//b"), std::string("-a"),
        std::string("a..b"), std::string("a___b"), std::string("a@sha256:12"),
        std::string("a@md5:") + kHex, std::string("a:") + std::string(129, 't'),
        std::string("-x.y/a"), std::string("x.y:/a"), std::string("x.y:p/a"), std::string("[::1/a"),
        std::string("a\n"), std::string("../a")}) {
    const auto ref = Reference::parse(text);
    ASSERT_FALSE(ref.ok()) << text;
    EXPECT_EQ(ref.error().kind(), ErrorKind::kInvalid) << text;
    EXPECT_EQ(ref.error().message(), "invalid reference format") << text;
  }
}

TEST(Reference, SaysWhatIsWrongWhereDockerDoes) {
  EXPECT_EQ(Reference::parse("Busybox").error().message(),
            "invalid reference format: repository name (Busybox) must be lowercase");
  EXPECT_EQ(Reference::parse(kHex).error().message(),
            "invalid repository name (" + kHex + "), cannot specify 64-byte hexadecimal strings");
  EXPECT_EQ(Reference::parse("x.y/" + std::string(255, 'a')).error().message(),
            "repository name must not be more than 255 characters");
}

TEST(Reference, LatestIsTheTagOfANameWithoutTagOrDigest) {
  EXPECT_EQ(MUST(Reference::parse("a")).with_default_tag().tag(), "latest");
  EXPECT_EQ(MUST(Reference::parse("a:b")).with_default_tag().tag(), "b");
  EXPECT_EQ(MUST(Reference::parse("a@sha256:" + kHex)).with_default_tag().tag(), "");
}

TEST(Digest, KnowsSha256AndSha512) {
  EXPECT_EQ(MUST(Digest::parse("sha256:" + kHex)).hex(), kHex);
  EXPECT_EQ(MUST(Digest::parse("sha512:" + kHex + kHex)).algorithm(), "sha512");
  for (const std::string& text :
       {"sha256:" + kHex.substr(1), "sha256:" + kHex + "a", "sha1:" + kHex,
        "sha256:" + std::string(64, 'A'), "sha256:../" + kHex.substr(3)}) {
    EXPECT_EQ(Digest::parse(text).error().kind(), ErrorKind::kInvalid) << text;
  }
}

}  // namespace
}  // namespace berth::image
