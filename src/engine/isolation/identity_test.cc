#include "engine/isolation/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kPasswd =
    "root:x:0:0:root:/root:/bin/sh\n"
    "broken line\n"
    "web:x:33:34:web:/srv/web:/bin/false\n"
    "big:x:99999999999:1:::\n"
    "nohome:x:50:50";
constexpr std::string_view kGroup = "root:x:0:\nwheel:x:10:root,web\nwww:x:34:\nlogs:x:44:web\n";

TEST(ResolveIdentity, NobodyAskedForIsRootWithItsGroups) {
  const Identity identity = *resolve_identity("", {}, kPasswd, kGroup);
  EXPECT_EQ(identity.uid, 0U);
  EXPECT_EQ(identity.home, "/root");
  EXPECT_THAT(identity.additional_gids, ElementsAre(10));
}

TEST(ResolveIdentity, NameBringsGroupHomeAndMemberships) {
  const Identity identity = *resolve_identity("web", {}, kPasswd, kGroup);
  EXPECT_EQ(identity.uid, 33U);
  EXPECT_EQ(identity.gid, 34U);
  EXPECT_EQ(identity.home, "/srv/web");
  EXPECT_THAT(identity.additional_gids, ElementsAre(10, 44));
}

TEST(ResolveIdentity, NumberNeedNotBeKnown) {
  const Identity identity = *resolve_identity("1234:5678", {}, kPasswd, kGroup);
  EXPECT_EQ(identity.uid, 1234U);
  EXPECT_EQ(identity.gid, 5678U);
  EXPECT_EQ(identity.home, "/");
  EXPECT_EQ(resolve_identity("33", {}, kPasswd, kGroup)->gid, 34U);
}

TEST(ResolveIdentity, ExplicitGroupReplacesMemberships) {
  const Identity identity = *resolve_identity("web:wheel", {"logs", "7"}, kPasswd, kGroup);
  EXPECT_EQ(identity.gid, 10U);
  EXPECT_THAT(identity.additional_gids, ElementsAre(7, 44));
}

TEST(ResolveIdentity, UnknownNamesAreRefusedInDockersWords) {
  EXPECT_THAT(resolve_identity("who", {}, kPasswd, kGroup).error().message(),
              HasSubstr("unable to find user who: no matching entries in passwd file"));
  EXPECT_THAT(resolve_identity("web:what", {}, kPasswd, kGroup).error().message(),
              HasSubstr("unable to find group what: no matching entries in group file"));
  EXPECT_FALSE(resolve_identity("big", {}, kPasswd, kGroup).ok());
  EXPECT_FALSE(resolve_identity("4294967295", {}, kPasswd, kGroup).ok());
}

TEST(ResolveIdentity, ImageWithoutAnyFilesStillRunsAsRoot) {
  const Identity identity = *resolve_identity("", {}, "", "");
  EXPECT_EQ(identity.uid, 0U);
  EXPECT_EQ(identity.home, "/root");
  EXPECT_THAT(identity.additional_gids, IsEmpty());
}

TEST(ResolveIdentity, LastLineNeedsNoNewline) {
  EXPECT_EQ(resolve_identity("nohome", {}, kPasswd, kGroup)->home, "/");
}

}  // namespace
}  // namespace berth::engine
