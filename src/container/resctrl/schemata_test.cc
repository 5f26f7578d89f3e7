#include "container/resctrl/schemata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::container {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kFile = "    MB:0= 20;1= 70\n    L3:0=007f0;1=0001f\n    L2:0=ff\n";

TEST(Schemata, AreWrittenInTheOrderOfTheSpecification) {
  EXPECT_THAT(schemata_lines({}), IsEmpty());
  EXPECT_THAT(schemata_lines({.mem_bw_schema = "MB:0=20", .schemata = {"L2:0=f"}}),
              ElementsAre("MB:0=20", "L2:0=f"));
  EXPECT_THAT(schemata_lines({.l3_cache_schema = "L3:0=f",
                              .mem_bw_schema = "MB:0=20",
                              .schemata = {"MB:0=30", "L2:0=f"}}),
              ElementsAre("L3:0=f", "MB:0=20", "MB:0=30", "L2:0=f"));
}

TEST(Schemata, AreFoundByTheirResource) {
  EXPECT_EQ(find_schema(kFile, "L3"), "L3:0=007f0;1=0001f");
  EXPECT_EQ(find_schema(kFile, "MB"), "MB:0= 20;1= 70");
  EXPECT_EQ(find_schema(kFile, "L3CODE"), "");
  EXPECT_EQ(find_schema("", "L3"), "");
}

TEST(Schemata, AgreeByValueNotByText) {
  for (const char* same : {"L3:0=7f0;1=1f", "L3:1=1f;0=07f0", "L3:1=1f", " L3 : 0 = 7f0 ",
                           "MB:0=20;1=70", "MB:1=70", "L3:"})
    EXPECT_TRUE(agrees(kFile, same)) << same;
  for (const char* other :
       {"L3:0=7f1", "L3:2=7f0", "L3CODE:0=7f0", "MB:0=2", "L3:0", "nonsense", ""})
    EXPECT_FALSE(agrees(kFile, other)) << other;
}

}  // namespace
}  // namespace berth::container
