#include "container/isolate/mounts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include "container/isolate/cgroup_view.h"

namespace berth::container {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

MountPlan plan(const sys::MountSpec& spec) {
  auto made = plan_mount(spec, "/d", "mounts[3]", "/bundle");
  EXPECT_TRUE(made.ok()) << made.error().message();
  return made.ok() ? *made : MountPlan();
}

TEST(MountPlan, KindsFollowTheType) {
  EXPECT_EQ(plan({"proc", "proc", {}}).kind, MountKind::kProc);
  EXPECT_EQ(plan({"sysfs", "sysfs", {}}).kind, MountKind::kSysfs);
  EXPECT_EQ(plan({"devpts", "devpts", {}}).kind, MountKind::kDevpts);
  EXPECT_EQ(plan({"tmpfs", "tmpfs", {}}).kind, MountKind::kFilesystem);
  EXPECT_EQ(plan({"bind", "/s", {}}).kind, MountKind::kBind);
  EXPECT_EQ(plan({"", "/s", {"bind"}}).kind, MountKind::kBind);
  EXPECT_EQ(plan({"none", "/s", {"rbind"}}).kind, MountKind::kBind);
  EXPECT_EQ(plan({"proc", "/proc", {"rbind"}}).kind, MountKind::kBind);
}

TEST(MountPlan, ABindIsTakenFromTheBundleUnlessAbsolute) {
  EXPECT_EQ(plan({"bind", "/s", {}}).source, "/s");
  EXPECT_EQ(plan({"bind", "s/t", {}}).source, "/bundle/s/t");
  EXPECT_TRUE(plan({"bind", "/s", {}}).options.bind);
  EXPECT_FALSE(plan({"bind", "/s", {}}).options.recursive);
}

TEST(MountPlan, ABindWithoutASourceIsInvalid) {
  const auto made = plan_mount({"bind", "", {}}, "/d", "mounts[3]", "/bundle");
  EXPECT_EQ(made.error().kind(), ErrorKind::kInvalid);
  EXPECT_THAT(made.error().message(), HasSubstr("mounts[3]: a bind mount needs a source"));
}

TEST(MountPlan, AnOptionThatIsNotSupportedNamesTheMount) {
  const auto made = plan_mount({"bind", "/s", {"copy-symlink"}}, "/d", "mounts[3]", "");
  EXPECT_EQ(made.error().kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(made.error().message(), "mounts[3]: mount option 'copy-symlink' is not supported");
}

TEST(MountPlan, OnlyATmpfsCopiesUp) {
  EXPECT_TRUE(plan({"tmpfs", "tmpfs", {"tmpcopyup"}}).options.copy_up);
  for (const sys::MountSpec& other : {sys::MountSpec{"bind", "/s", {"tmpcopyup"}},
                                      sys::MountSpec{"tmpfs", "/s", {"tmpcopyup", "bind"}},
                                      sys::MountSpec{"ext4", "/s", {"tmpcopyup"}},
                                      sys::MountSpec{"tmpfs", "x", {"tmpcopyup", "remount"}}}) {
    const auto made = plan_mount(other, "/d", "mounts[3]", "");
    ASSERT_FALSE(made.ok()) << other.type;
    EXPECT_EQ(made.error().message(), "mounts[3]: tmpcopyup is for a tmpfs");
  }
}

TEST(MountPlan, ATmpfsWithoutAModeTakesThatOfItsPlace) {
  EXPECT_TRUE(plan({"tmpfs", "tmpfs", {"size=1m"}}).takes_mode);
  EXPECT_FALSE(plan({"tmpfs", "tmpfs", {"mode=755"}}).takes_mode);
  EXPECT_FALSE(plan({"ramfs", "x", {}}).takes_mode);
  const auto root = plan_mount({"tmpfs", "tmpfs", {}}, "", "root mount 0", "");
  ASSERT_TRUE(root.ok());
  EXPECT_FALSE(root->takes_mode) << "a root covers nothing of its own";
}

TEST(MountPlan, ARemountChangesTheMountAndUnlessItIsABindTheFileSystem) {
  const MountPlan bind = plan({"", "/s", {"remount", "bind", "ro"}});
  EXPECT_EQ(bind.kind, MountKind::kRemount);
  EXPECT_THAT(bind.options.superblock_flags, IsEmpty());
  EXPECT_THAT(plan({"ext4", "x", {"remount", "ro"}}).options.superblock_flags, ElementsAre("ro"));
  EXPECT_THAT(plan({"ext4", "x", {"remount", "rw"}}).options.superblock_flags, ElementsAre("rw"));
  EXPECT_THAT(plan({"tmpfs", "x", {"remount", "ro"}}).options.superblock_flags, IsEmpty());
  EXPECT_EQ(plan({"", "", {"remount"}}).kind, MountKind::kRemount) << "needs no source";
}

TEST(MountPlan, ALabelIsForFileSystemsOfTheContainersOwn) {
  const auto labelled = [](const sys::MountSpec& spec) {
    MountPlan made = plan(spec);
    label_mount(made, "u:r:t:s0:c1,c2");
    return made;
  };
  const MountPlan tmpfs = labelled({"tmpfs", "tmpfs", {"size=1m"}});
  EXPECT_THAT(tmpfs.options.parameters,
              Contains(sys::MountParameter{"context", "u:r:t:s0:c1,c2", true}));
  EXPECT_EQ(tmpfs.classic_data, "size=1m,context=\"u:r:t:s0:c1,c2\"");
  EXPECT_THAT(labelled({"devpts", "devpts", {}}).options.parameters,
              Contains(sys::MountParameter{"context", "u:r:t:s0:c1,c2", true}));
  EXPECT_THAT(labelled({"tmpfs", "x", {"context=a"}}).options.parameters,
              ElementsAre(sys::MountParameter{"context", "a", true}));
  EXPECT_EQ(labelled({"mqueue", "mqueue", {}}).root_context, "u:r:t:s0:c1,c2");
  for (const sys::MountSpec& other :
       {sys::MountSpec{"proc", "proc", {}}, sys::MountSpec{"sysfs", "sysfs", {}},
        sys::MountSpec{"bind", "/s", {}}, sys::MountSpec{"mqueue", "mqueue", {}}})
    EXPECT_THAT(labelled(other).options.parameters, IsEmpty()) << other.type;
}

TEST(MountPlan, APlainMountHasNoneOfThese) {
  EXPECT_TRUE(plan_plain_mount({"tmpfs", "x", {"ro"}}, "/d", "mounts[3]", "").ok());
  for (const char* word : {"remount", "tmpcopyup", "idmap", "ridmap"}) {
    const auto made = plan_plain_mount({"tmpfs", "x", {word}}, "/d", "mounts[3]", "");
    ASSERT_FALSE(made.ok()) << word;
    EXPECT_EQ(made.error().kind(), ErrorKind::kUnsupported) << word;
  }
}

TEST(MountPlan, OnlyASharedBindStaysAPeer) {
  EXPECT_TRUE(plan({"bind", "/s", {"shared"}}).stays_peer);
  EXPECT_TRUE(plan({"bind", "/s", {"rbind", "rshared"}}).stays_peer);
  EXPECT_FALSE(plan({"bind", "/s", {"rslave"}}).stays_peer);
  EXPECT_FALSE(plan({"bind", "/s", {"rslave", "shared"}}).stays_peer) << "a peer of others";
  EXPECT_FALSE(plan({"bind", "/s", {}}).stays_peer);
  EXPECT_FALSE(plan({"tmpfs", "tmpfs", {"shared"}}).stays_peer);
}

TEST(MountPlan, ReadOnlyReachesTheSuperblockIfItIsTheMountsOwn) {
  EXPECT_THAT(plan({"ext4", "/dev/x", {"ro"}}).options.superblock_flags, Contains("ro"));
  EXPECT_THAT(plan({"ext4", "/dev/x", {"ro", "rw"}}).options.superblock_flags, IsEmpty());
  EXPECT_THAT(plan({"bind", "/s", {"ro"}}).options.superblock_flags, IsEmpty());
  for (const char* shared :
       {"proc", "sysfs", "cgroup", "cgroup2", "mqueue", "devpts", "tmpfs", "overlay"}) {
    const MountPlan made = plan({shared, shared, {"ro"}});
    EXPECT_THAT(made.options.superblock_flags, IsEmpty()) << shared;
    EXPECT_TRUE(made.options.read_only()) << shared;
  }
}

TEST(MountPlan, AnOverlaysLayersAreGivenOneByOne) {
  const MountPlan made =
      plan({"overlay", "overlay", {"lowerdir=/a:/b=c:/d", "upperdir=/u:/v", "userxattr"}});
  EXPECT_THAT(made.options.parameters, ElementsAre(sys::MountParameter{"lowerdir+", "/a", true},
                                                   sys::MountParameter{"lowerdir+", "/b=c", true},
                                                   sys::MountParameter{"lowerdir+", "/d", true},
                                                   sys::MountParameter{"upperdir", "/u:/v", true},
                                                   sys::MountParameter{"userxattr", "", false}));
  EXPECT_EQ(made.classic_data, "lowerdir=/a:/b=c:/d,upperdir=/u:/v,userxattr");
}

TEST(MountPlan, LayersWithEscapesOrDataLayersStayAList) {
  for (const char* list : {"lowerdir=/a\\:b:/c", "lowerdir=/a::/data"})
    EXPECT_THAT(plan({"overlay", "overlay", {list}}).options.parameters,
                ElementsAre(sys::MountParameter{"lowerdir", std::string(list).substr(9), true}));
  EXPECT_THAT(plan({"tmpfs", "tmpfs", {"lowerdir=/a:/b"}}).options.parameters,
              ElementsAre(sys::MountParameter{"lowerdir", "/a:/b", true}));
}

TEST(MountPlan, OnlyAFileSystemMayBeMountedTheOldWay) {
  const MountPlan tmpfs = plan({"tmpfs", "tmpfs", {}});
  const MountPlan overlay = plan({"overlay", "overlay", {}});
  errno = ENOSYS;
  EXPECT_TRUE(may_mount_classic(tmpfs, Step::kMountFilesystem));
  EXPECT_FALSE(may_mount_classic(tmpfs, Step::kMountAttributes));
  errno = EINVAL;
  EXPECT_FALSE(may_mount_classic(tmpfs, Step::kMountFilesystem));
  EXPECT_TRUE(may_mount_classic(overlay, Step::kMountFilesystem));
  errno = EPERM;
  EXPECT_FALSE(may_mount_classic(overlay, Step::kMountFilesystem));
}

const std::vector<Hierarchy> kV1 = {
    {"cpu,cpuacct", "/c/cpu,cpuacct", {"cpu", "cpuacct"}, {"cpu", "cpuacct"}},
    {"memory", "/c/memory", {"memory"}, {}}};
const std::vector<Hierarchy> kV2 = {{"", "/c", {}, {}}};

Mount cgroup_mount() {
  Mount mount;
  mount.destination = "/sys/fs/cgroup";
  mount.type = "cgroup";
  mount.source = "cgroup";
  mount.options = {"nosuid", "ro"};
  return mount;
}

TEST(CgroupViewPlan, OfV1IsADirectoryOfHierarchies) {
  const auto plans = plan_cgroup_view(cgroup_mount(), "mounts[0]",
                                      {.version = CgroupVersion::kV1,
                                       .own_namespace = true,
                                       .hierarchies = kV1,
                                       .relative = "berth/x"});
  ASSERT_TRUE(plans.ok()) << plans.error().message();
  ASSERT_EQ(plans->size(), 3U);
  EXPECT_EQ((*plans)[0].type, "tmpfs");
  EXPECT_TRUE((*plans)[0].options.read_only());
  EXPECT_THAT((*plans)[0].directories, ElementsAre("cpu,cpuacct", "memory"));
  EXPECT_THAT((*plans)[0].links,
              ElementsAre(std::pair<std::string, std::string>("cpu", "cpu,cpuacct"),
                          std::pair<std::string, std::string>("cpuacct", "cpu,cpuacct")));
  EXPECT_EQ((*plans)[1].type, "cgroup");
  EXPECT_EQ((*plans)[1].destination, "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_EQ((*plans)[1].classic_data, "cpu,cpuacct");
  EXPECT_EQ((*plans)[2].destination, "/sys/fs/cgroup/memory");
  for (const MountPlan& made : *plans) EXPECT_TRUE(made.options.read_only());
}

TEST(CgroupViewPlan, WithoutANamespaceOfItsOwnTheContainersDirectoriesAreBound) {
  const auto v1 = plan_cgroup_view(cgroup_mount(), "mounts[0]",
                                   {.version = CgroupVersion::kV1,
                                    .own_namespace = false,
                                    .hierarchies = kV1,
                                    .relative = "berth/x"});
  ASSERT_TRUE(v1.ok());
  EXPECT_EQ((*v1)[2].kind, MountKind::kBind);
  EXPECT_EQ((*v1)[2].source, "/c/memory/berth/x");
  const auto v2 = plan_cgroup_view(cgroup_mount(), "mounts[0]",
                                   {.version = CgroupVersion::kV2,
                                    .own_namespace = false,
                                    .hierarchies = kV2,
                                    .relative = "berth/x"});
  ASSERT_TRUE(v2.ok());
  ASSERT_EQ(v2->size(), 1U);
  EXPECT_EQ((*v2)[0].kind, MountKind::kBind);
  EXPECT_EQ((*v2)[0].source, "/c/berth/x");
}

TEST(CgroupViewPlan, OfV2IsOneFileSystem) {
  const auto plans = plan_cgroup_view(cgroup_mount(), "mounts[0]",
                                      {.version = CgroupVersion::kV2,
                                       .own_namespace = true,
                                       .hierarchies = kV2,
                                       .relative = "berth/x"});
  ASSERT_TRUE(plans.ok());
  ASSERT_EQ(plans->size(), 1U);
  EXPECT_EQ((*plans)[0].type, "cgroup2");
  EXPECT_EQ((*plans)[0].destination, "/sys/fs/cgroup");
  EXPECT_TRUE((*plans)[0].options.read_only());
}

}  // namespace
}  // namespace berth::container
