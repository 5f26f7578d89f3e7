#include "image/snapshot/drivers.h"

#include <gtest/gtest.h>

#include <set>

namespace berth::image {
namespace {

TEST(Drivers, AreFoundByTheirNamesWhichDiffer) {
  std::set<std::string_view> names;
  for (const Driver& driver : all_drivers()) {
    EXPECT_TRUE(names.insert(driver.name).second) << driver.name;
    EXPECT_EQ(MUST(find_driver(driver.name)).name, driver.name);
  }
  EXPECT_EQ(all_drivers().front().name, "overlay2");
  EXPECT_TRUE(names.contains("vfs"));  // works everywhere
}

TEST(Drivers, ThoseOfOtherEnginesAreAnsweredWithWhatToUse) {
  for (const char* name : {"aufs", "native", "overlay", "overlayfs", "windowsfilter", "zfs", "",
                           "floppy", "OVERLAY2", "../overlay2"}) {
    const auto found = find_driver(name);
    ASSERT_FALSE(found.ok()) << name;
    EXPECT_EQ(found.error().kind(), ErrorKind::kInvalid);
    const std::string& text = found.error().message();
    EXPECT_NE(text.find("'" + std::string(name) + "'"), std::string::npos) << text;
    EXPECT_TRUE(text.find("overlay2") != std::string::npos || text.find("vfs") != std::string::npos)
        << text;
  }
}

}  // namespace
}  // namespace berth::image
