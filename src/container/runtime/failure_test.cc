#include "container/runtime/failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::container {
namespace {

using ::testing::HasSubstr;

// Every step a container can fail at, up to the last of the enumeration.
template <typename Visit>
void each_step(Visit visit) {
  for (auto i = static_cast<int>(Step::kNone) + 1; i <= static_cast<int>(Step::kChannel); ++i)
    visit(static_cast<Step>(i));
}

TEST(Failure, EveryStepIsASentenceEvenIfItsIndexIsWrong) {
  const InitPlan plan;
  each_step([&](Step step) {
    // Those come after "created", and are told to whoever starts.
    if (step == Step::kOwnProgram || step == Step::kExec) return;
    const Error error = describe_failure({step, 500, EPERM}, plan);
    EXPECT_GT(error.message().size(), std::string_view(": Operation not permitted").size() + 5)
        << static_cast<int>(step);
    EXPECT_THAT(error.message(), ::testing::Not(HasSubstr("step"))) << error.message();
  });
}

TEST(Failure, NamesTheThingOfThePlan) {
  InitPlan plan;
  MountPlan mount;
  mount.type = "tmpfs";
  mount.source = "tmpfs";
  mount.destination = "/run";
  plan.mounts.push_back(mount);
  plan.protect.masked = {"/proc/kcore"};
  plan.protect.read_only = {"/proc/sys"};
  plan.devices.nodes.push_back({"/dev/fuse", 0, 0, 0, 0});
  plan.sysctl.entries.push_back({"net.x", "sys/net/x", "1"});
  plan.execute.cwd = "/w";
  plan.identity.limits.push_back({0, {}, "RLIMIT_CPU"});
  plan.rootfs.path = "/r";
  const std::pair<Step, const char*> rows[] = {
      {Step::kMountFilesystem, "/run"}, {Step::kMountTarget, "/run"},
      {Step::kMountSource, "tmpfs"},    {Step::kMountInsideProc, "inside of /proc"},
      {Step::kMaskPath, "/proc/kcore"}, {Step::kReadonlyPath, "/proc/sys"},
      {Step::kDeviceNode, "/dev/fuse"}, {Step::kDeviceLink, "/dev/fd"},
      {Step::kSysctl, "net.x"},         {Step::kWorkingDirectory, "'/w'"},
      {Step::kRlimit, "RLIMIT_CPU"},    {Step::kOpenRootfs, "'/r'"}};
  for (const auto& [step, says] : rows)
    EXPECT_THAT(describe_failure({step, 0, EACCES}, plan).message(), HasSubstr(says));
}

TEST(Failure, WhatIsMissingIsTheSpecsFault) {
  const InitPlan plan;
  EXPECT_EQ(describe_failure({Step::kOpenRootfs, 0, ENOENT}, plan).kind(), ErrorKind::kInvalid);
  EXPECT_EQ(describe_failure({Step::kOpenRootfs, 0, EACCES}, plan).kind(), ErrorKind::kPermission);
}

TEST(Failure, AProgramsKindTellsItsExitCode) {
  const auto failure = [](int error) {
    return describe_start_failure({Step::kExec, 0, error}, "tool");
  };
  EXPECT_EQ(failure(ENOENT).kind(), ErrorKind::kNotFound);
  EXPECT_EQ(failure(ENOTDIR).kind(), ErrorKind::kNotFound);
  EXPECT_THAT(failure(ENOENT).message(), HasSubstr("\"tool\": executable file not found in $PATH"));
  EXPECT_EQ(failure(EACCES).kind(), ErrorKind::kPermission);
  EXPECT_EQ(failure(ENOEXEC).kind(), ErrorKind::kPermission);
  EXPECT_EQ(describe_start_failure({Step::kOwnProgram, 0, EPERM}, "x").kind(),
            ErrorKind::kPermission);
  EXPECT_THAT(describe_start_failure({Step::kExec, 0, ENOENT}, "/x").message(),
              HasSubstr("no such file or directory"));
}

TEST(Failure, AHookTellsItsStatus) {
  const InitPlan plan;
  EXPECT_THAT(describe_failure({Step::kHook, 0, -3}, plan).message(),
              HasSubstr("failed with status 3"));
  EXPECT_THAT(describe_start_failure({Step::kHook, 1, -137}, "x").message(),
              HasSubstr("startContainer hook 1 failed with status 137"));
}

}  // namespace
}  // namespace berth::container
