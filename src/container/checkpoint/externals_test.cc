// What of a container is the host's, and where it is mounted.
#include "container/checkpoint/externals.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <fstream>

#include "container/checkpoint/options.h"
#include "container/checkpoint/restore_root.h"
#include "sys/dir.h"
#include "sys/temp_dir_testing.h"

namespace berth::container {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Externals : public ::testing::Test {
 protected:
  void add(const std::string& destination, const std::string& type, const std::string& source,
           std::vector<std::string> options = {}) {
    Mount& mount = spec_.mounts.emplace_back();
    mount.destination = destination;
    mount.type = type;
    mount.source = source;
    mount.options = std::move(options);
  }
  // "destination source" each.
  std::vector<std::string> externals(const CgroupView& view = {.version = CgroupVersion::kV2,
                                                               .own_namespace = true,
                                                               .hierarchies = {},
                                                               .relative = {}}) {
    std::vector<std::string> texts;
    const auto mounts = external_mounts(spec_, rootfs_, "/bundle", view);
    if (!mounts.ok()) return {mounts.error().message()};
    for (const auto& [destination, source] : *mounts) texts.push_back(destination + " " + source);
    return texts;
  }
  sys::TempDir directory_;
  std::string rootfs_ = *real_path(directory_.path());
  Spec spec_;
};

TEST_F(Externals, AreTheBindsOfTheSpec) {
  add("/proc", "proc", "proc");
  add("/data/", "bind", "/srv/data");
  add("more", "", "here", {"rbind", "ro"});
  EXPECT_THAT(externals(), ElementsAre("/data /srv/data", "/more /bundle/here"));
}

TEST_F(Externals, ArePlacedWhereTheLinksOfTheImageLead) {
  ASSERT_EQ(::mkdir((rootfs_ + "/run").c_str(), 0755), 0);
  ASSERT_EQ(::mkdir((rootfs_ + "/run/x").c_str(), 0755), 0);
  ASSERT_EQ(::symlink("/../run", (rootfs_ + "/var").c_str()), 0);
  add("/var/x", "bind", "/a");
  add("/var/none", "bind", "/b");
  EXPECT_THAT(externals(), ElementsAre("/run/x /a", "/var/none /b"));
}

TEST_F(Externals, HaveNoNameThatCriuCannotRead) {
  add("/a]b", "bind", "/a");
  EXPECT_THAT(externals(), ElementsAre(HasSubstr("/a]b")));
}

TEST_F(Externals, AreTheCgroupsOfV1WithoutANamespace) {
  add("/sys/fs/cgroup", "cgroup", "cgroup");
  const std::vector<Hierarchy> hierarchies = {
      {"cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct", {"cpu", "cpuacct"}, {}},
      {"pids", "/sys/fs/cgroup/pids", {"pids"}, {}}};
  CgroupView view{.version = CgroupVersion::kV1,
                  .own_namespace = false,
                  .hierarchies = hierarchies,
                  .relative = "berth/c"};
  EXPECT_THAT(externals(view),
              ElementsAre("/sys/fs/cgroup/cpu,cpuacct /sys/fs/cgroup/cpu,cpuacct/berth/c",
                          "/sys/fs/cgroup/pids /sys/fs/cgroup/pids/berth/c"));
  view.own_namespace = true;
  EXPECT_THAT(externals(view), IsEmpty());
}

TEST_F(Externals, AreTheNodesOfAContainerThatCannotMakeThem) {
  spec_.linux_.namespaces.push_back({NamespaceType::kUser, {}});
  EXPECT_THAT(externals(), ::testing::Contains("/dev/null /dev/null"));
}

TEST_F(Externals, OfTheMaskedPathsAreFiles) {
  std::ofstream(rootfs_ + "/file") << "x";
  ASSERT_EQ(::mkdir((rootfs_ + "/directory").c_str(), 0755), 0);
  spec_.linux_.masked_paths = {"/file", "/directory", "/absent", "/file/below"};
  const auto root = sys::open_dir(rootfs_);
  EXPECT_THAT(*masked_files(spec_, root->get()), ElementsAre("/file"));
}

TEST_F(Externals, NamespacesThatAreJoinedAreNamedAndOpenedAgain) {
  spec_.linux_.namespaces = {{NamespaceType::kNetwork, "/proc/self/ns/net"},
                             {NamespaceType::kUts, "/proc/self/ns/uts"},
                             {NamespaceType::kPid, {}}};
  CriuOptions options;
  ASSERT_TRUE(name_namespaces(spec_, ::getpid(), options).ok());
  struct stat found = {};
  ASSERT_EQ(::stat("/proc/self/ns/net", &found), 0);
  EXPECT_THAT(options.external, ElementsAre(fmt::format("net[{}]:extRootNetNS", found.st_ino)));
  std::vector<CriuInheritedFd> inherited;
  std::vector<CriuJoinedNamespace> joined;
  const auto opened = join_namespaces_again(spec_, 4, inherited, joined);
  ASSERT_TRUE(opened.ok()) << opened.error().message();
  EXPECT_EQ(opened->size(), 1U);
  ASSERT_EQ(inherited.size(), 1U);
  EXPECT_EQ(inherited[0].key, "extRootNetNS");
  EXPECT_EQ(inherited[0].fd, 4);
  ASSERT_EQ(joined.size(), 1U);
  EXPECT_EQ(joined[0].name, "uts");
  spec_.linux_.namespaces.push_back({NamespaceType::kCgroup, "/proc/self/ns/cgroup"});
  EXPECT_EQ(join_namespaces_again(spec_, 4, inherited, joined).error().kind(),
            ErrorKind::kUnsupported);
}

TEST_F(Externals, PlacesAreMadeOutsideOfWhatCriuFills) {
  add("/proc", "proc", "proc");
  add("/tmp", "tmpfs", "tmpfs");
  add("/tmp/x", "bind", "/etc");
  add("/sys/fs/cgroup", "cgroup", "cgroup");
  add("/etc/hosts", "bind", "/etc/passwd");
  add("/data", "bind", "/etc");
  const auto root = plan_restore_root(spec_, rootfs_, "/bundle");
  ASSERT_TRUE(root.ok()) << root.error().message();
  std::vector<std::string> texts;
  for (const MountPoint& point : root->points)
    texts.push_back(fmt::format("{} {} '{}'", point.destination,
                                point.kind == PathKind::kFile ? "file" : "directory",
                                point.source));
  EXPECT_THAT(texts, ElementsAre("/proc directory ''", "/tmp directory ''",
                                 "/etc/hosts file '/etc/passwd'", "/data directory '/etc'"));
  add("/gone", "bind", "/nowhere");
  EXPECT_EQ(plan_restore_root(spec_, rootfs_, "/bundle").error().kind(), ErrorKind::kNotFound);
}

}  // namespace
}  // namespace berth::container
