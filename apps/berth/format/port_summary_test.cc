#include "berth/format/port_summary.h"

#include <gtest/gtest.h>

namespace berth::cli {
namespace {

TEST(PortSummary, PublishedAndExposed) {
  EXPECT_EQ(summarize_ports({}), "");
  EXPECT_EQ(
      summarize_ports({{"0.0.0.0", 80, 8080, "tcp"}, {"::", 80, 8080, "tcp"}, {"", 443, 0, "tcp"}}),
      "443/tcp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp");
}

TEST(PortSummary, RunsAreRanges) {
  EXPECT_EQ(summarize_ports({{"", 82, 0, "tcp"},
                             {"", 80, 0, "tcp"},
                             {"", 81, 0, "tcp"},
                             {"", 90, 0, "tcp"},
                             {"", 80, 0, "udp"}}),
            "80-82/tcp, 90/tcp, 80/udp");
  EXPECT_EQ(summarize_ports({{"0.0.0.0", 80, 80, "tcp"}, {"0.0.0.0", 81, 81, "tcp"}}),
            "0.0.0.0:80-81->80-81/tcp");
}

}  // namespace
}  // namespace berth::cli
