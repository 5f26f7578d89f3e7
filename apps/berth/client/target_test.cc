#include "berth/client/target.h"

#include <gtest/gtest.h>

#include "berth/verb/pull_image.h"

namespace berth::cli {
namespace {

TEST(Target, ArgumentsCannotChangeTheRoute) {
  EXPECT_EQ(Target("/containers").segment("web").then("/json").str(), "/containers/web/json");
  EXPECT_EQ(Target("/images").segment("a/b:1@sha256:f").str(), "/images/a/b:1@sha256:f");
  EXPECT_EQ(Target("/containers").segment("x?all=1#y z\r\n").str(),
            "/containers/x%3Fall%3D1%23y%20z%0D%0A");
  EXPECT_EQ(Target("/containers").segment("../images/x").str(), "/containers/%2E%2E%2Fimages%2Fx");
}

TEST(Target, QueriesAreEncoded) {
  Target target("/events");
  target.query("a", "1&b=2")
      .flag("yes", true)
      .flag("no", false)
      .maybe("empty", "")
      .query("f", R"({"x":["y"]})");
  EXPECT_EQ(target.str(), "/events?a=1%26b%3D2&yes=1&f=%7B%22x%22:%5B%22y%22%5D%7D");
}

TEST(ImageName, TagsDigestsAndPorts) {
  EXPECT_EQ(split_reference("busybox").tag, "latest");
  EXPECT_EQ(split_reference("reg:5000/a/b").repository, "reg:5000/a/b");
  EXPECT_EQ(split_reference("reg:5000/a/b:1").tag, "1");
  EXPECT_EQ(split_reference("a@sha256:ff").tag, "sha256:ff");
}

}  // namespace
}  // namespace berth::cli
