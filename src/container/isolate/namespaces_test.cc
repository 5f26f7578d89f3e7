#include "container/isolate/namespaces.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

namespace berth::container {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kNewTime = 0x80;

Spec with(std::vector<Namespace> namespaces) {
  Spec spec;
  spec.linux_.namespaces = std::move(namespaces);
  return spec;
}

NamespacePlan plan(const Spec& spec, int network = -1) {
  auto made = plan_namespaces(spec, network);
  EXPECT_TRUE(made.ok()) << made.error().message();
  return made.ok() ? std::move(*made) : NamespacePlan();
}

TEST(NamespacesPlan, NewOnesAreFlagsOrStepsOfTheirOwn) {
  const NamespacePlan made = plan(with({{NamespaceType::kMount, ""},
                                        {NamespaceType::kPid, ""},
                                        {NamespaceType::kUts, ""},
                                        {NamespaceType::kIpc, ""},
                                        {NamespaceType::kNetwork, ""},
                                        {NamespaceType::kCgroup, ""},
                                        {NamespaceType::kTime, ""}}));
  EXPECT_EQ(made.clone_flags,
            static_cast<std::uint64_t>(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC));
  EXPECT_TRUE(made.new_network);
  EXPECT_TRUE(made.loopback);
  EXPECT_TRUE(made.new_cgroup);
  EXPECT_TRUE(made.new_time);
  EXPECT_FALSE(made.new_user);
  EXPECT_TRUE(made.joins.empty());
}

TEST(NamespacesPlan, ANetworkOfANewUserNamespaceIsMadeByTheSameClone) {
  const NamespacePlan made =
      plan(with({{NamespaceType::kUser, ""}, {NamespaceType::kNetwork, ""}}));
  EXPECT_TRUE(made.new_user);
  EXPECT_FALSE(made.new_network);
  EXPECT_TRUE(made.loopback);
  EXPECT_EQ(made.clone_flags, static_cast<std::uint64_t>(CLONE_NEWUSER | CLONE_NEWNET));
}

TEST(NamespacesPlan, TheCallersNetworkWinsOverTheSpecs) {
  const NamespacePlan made = plan(with({{NamespaceType::kNetwork, "/no/such"}}), 7);
  EXPECT_EQ(made.network_fd, 7);
  EXPECT_FALSE(made.new_network);
  EXPECT_FALSE(made.loopback);
  EXPECT_TRUE(made.joins.empty());
}

TEST(NamespacesPlan, JoinsTheUserNamespaceFirstAndTheMountsLast) {
  const NamespacePlan made = plan(with({{NamespaceType::kMount, "/proc/self/ns/mnt"},
                                        {NamespaceType::kPid, "/proc/self/ns/pid"},
                                        {NamespaceType::kUts, "/proc/self/ns/uts"},
                                        {NamespaceType::kUser, "/proc/self/ns/user"}}));
  ASSERT_EQ(made.joins.size(), 3U);
  EXPECT_EQ(made.joins[0].type, NamespaceType::kUser);
  EXPECT_EQ(made.joins[0].clone_flag, CLONE_NEWUSER);
  EXPECT_EQ(made.joins[1].type, NamespaceType::kUts);
  EXPECT_EQ(made.joins[2].type, NamespaceType::kMount);
  EXPECT_TRUE(made.join_pid.valid()) << "the parent joins it, before the clone";
  EXPECT_FALSE(made.new_user);
  EXPECT_EQ(made.clone_flags, 0U);
}

TEST(NamespacesPlan, APathThatIsNoSuchNamespaceIsAnError) {
  const auto missing = plan_namespaces(with({{NamespaceType::kUts, "/no/such"}}), -1);
  EXPECT_EQ(missing.error().kind(), ErrorKind::kNotFound);
  EXPECT_THAT(missing.error().message(), HasSubstr("uts namespace '/no/such'"));
  for (const char* path : {"/proc/self/ns/ipc", "/dev/null", "/proc/self/status"}) {
    const auto other = plan_namespaces(with({{NamespaceType::kUts, path}}), -1);
    ASSERT_FALSE(other.ok()) << path;
    EXPECT_EQ(other.error().kind(), ErrorKind::kInvalid) << path;
    EXPECT_THAT(other.error().message(), HasSubstr("is not a uts namespace"));
  }
}

TEST(NamespacesPlan, AJoinedUserNamespaceOwnsNewOnes) {
  const NamespacePlan made = plan(with({{NamespaceType::kUser, "/proc/self/ns/user"},
                                        {NamespaceType::kMount, ""},
                                        {NamespaceType::kNetwork, ""},
                                        {NamespaceType::kUts, "/proc/self/ns/uts"}}));
  EXPECT_TRUE(made.owner.valid());
  EXPECT_FALSE(made.new_user);
  EXPECT_FALSE(made.new_network);
  EXPECT_EQ(made.clone_flags, static_cast<std::uint64_t>(CLONE_NEWNS | CLONE_NEWNET));
  ASSERT_EQ(made.joins.size(), 1U);
  EXPECT_EQ(made.joins[0].type, NamespaceType::kUts);
}

TEST(NamespacesPlan, TimeOffsetsAreTheKernelsLines) {
  Spec spec = with({{NamespaceType::kTime, ""}});
  EXPECT_EQ(plan(spec).offsets_text, "");
  spec.linux_.time_offsets.monotonic = TimeOffset{-5, 7};
  spec.linux_.time_offsets.boottime = TimeOffset{6, 0};
  EXPECT_EQ(plan(spec).offsets_text, "monotonic -5 7\nboottime 6 0\n");
  EXPECT_EQ(plan(spec).clone_flags & kNewTime, 0U) << "unshared by the child";
}

}  // namespace
}  // namespace berth::container
