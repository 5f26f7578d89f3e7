#include "api/docker/wire/progress_lines.h"

#include <gtest/gtest.h>

namespace berth::docker {
namespace {

using Step = image::PullProgress::Step;

const std::string kLayer = "sha256:0123456789abcdef" + std::string(48, '0');

TEST(PullProgress, LinesAreDockers) {
  EXPECT_EQ(pull_begin_line("library/busybox", "latest"),
            "{\"status\":\"Pulling from library/busybox\",\"id\":\"latest\"}\r\n");
  EXPECT_EQ(pull_line({.layer = kLayer, .step = Step::kFound}),
            "{\"status\":\"Pulling fs layer\",\"progressDetail\":{},\"id\":\"0123456789ab\"}\r\n");
  EXPECT_EQ(pull_line({.layer = kLayer, .step = Step::kDownloading, .current = 3, .total = 9}),
            "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":3,\"total\":9},"
            "\"id\":\"0123456789ab\"}\r\n");
  EXPECT_EQ(error_line("no \"x\""),
            "{\"errorDetail\":{\"message\":\"no \\\"x\\\"\"},\"error\":\"no \\\"x\\\"\"}\r\n");
}

TEST(PullProgress, TheEndTellsWhetherItIsNew) {
  image::PullResult result{
      .id = "sha256:1", .name = "busybox:latest", .digest = "sha256:2", .is_new = true};
  EXPECT_EQ(pull_end_lines(result),
            "{\"status\":\"Digest: sha256:2\"}\r\n"
            "{\"status\":\"Status: Downloaded newer image for busybox:latest\"}\r\n");
  result.is_new = false;
  EXPECT_EQ(pull_end_lines(result),
            "{\"status\":\"Digest: sha256:2\"}\r\n"
            "{\"status\":\"Status: Image is up to date for busybox:latest\"}\r\n");
}

TEST(PushProgress, LinesAreDockers) {
  using PushStep = image::PushProgress::Step;
  EXPECT_EQ(push_begin_line("docker.io/library/busybox"),
            "{\"status\":\"The push refers to repository [docker.io/library/busybox]\"}\r\n");
  EXPECT_EQ(push_line({.step = PushStep::kMounted, .layer = kLayer, .name = "library/a"}),
            "{\"status\":\"Mounted from library/a\",\"progressDetail\":{},"
            "\"id\":\"0123456789ab\"}\r\n");
  EXPECT_EQ(push_line({.step = PushStep::kPushing, .layer = kLayer, .current = 3, .total = 9}),
            "{\"status\":\"Pushing\",\"progressDetail\":{\"current\":3,\"total\":9},"
            "\"id\":\"0123456789ab\"}\r\n");
  EXPECT_EQ(push_line({.step = PushStep::kTagged, .total = 528, .name = "1", .digest = "sha256:2"}),
            "{\"status\":\"1: digest: sha256:2 size: 528\"}\r\n"
            "{\"progressDetail\":{},\"aux\":{\"Tag\":\"1\",\"Digest\":\"sha256:2\","
            "\"Size\":528}}\r\n");
}

}  // namespace
}  // namespace berth::docker
