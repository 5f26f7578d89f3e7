#include "container/isolate/hooks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "sys/temp_dir_testing.h"

namespace berth::container {
namespace {

using ::testing::HasSubstr;

Hook shell(const std::string& script) {
  Hook hook;
  hook.path = "/bin/sh";
  hook.args = {"sh", "-c", script};
  return hook;
}

std::string read(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Hooks, GetTheStateAsInputEachFromItsStart) {
  const sys::TempDir directory;
  const std::string out = directory.path() + "/out";
  const std::vector<Hook> hooks = {shell("cat >" + out), shell("cat >>" + out)};
  const auto run = run_hooks(hooks, "poststop", R"({"id":"x"})");
  ASSERT_TRUE(run.ok()) << run.error().message();
  EXPECT_EQ(read(out), R"({"id":"x"}{"id":"x"})");
}

TEST(Hooks, HaveTheirOwnEnvironmentAlone) {
  const sys::TempDir directory;
  const std::string out = directory.path() + "/out";
  Hook hook = shell("echo $A-$HOME >" + out);
  hook.env = {"A=b"};
  ASSERT_TRUE(run_hooks(std::vector{hook}, "poststop", "").ok());
  EXPECT_EQ(read(out), "b-\n");
}

TEST(Hooks, TheFirstThatFailsEndsTheRow) {
  const sys::TempDir directory;
  const std::string out = directory.path() + "/out";
  const auto run =
      run_hooks(std::vector{shell("exit 3"), shell("touch " + out)}, "createRuntime", "");
  ASSERT_FALSE(run.ok());
  EXPECT_EQ(run.error().message(), "createRuntime hook /bin/sh failed with status 3");
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST(Hooks, ASignalIsAStatusAsTheShellSaysIt) {
  EXPECT_THAT(run_hooks(std::vector{shell("kill -9 $$")}, "poststop", "").error().message(),
              HasSubstr("status 137"));
}

TEST(Hooks, ThatCannotRunSayWhy) {
  Hook hook;
  hook.path = "/no/such";
  const auto run = run_hooks(std::vector{hook}, "prestart", "");
  EXPECT_EQ(run.error().kind(), ErrorKind::kNotFound);
  EXPECT_THAT(run.error().message(), HasSubstr("cannot run the prestart hook /no/such"));
}

TEST(Hooks, AreKilledWhenTheirTimeIsUp) {
  Hook hook = shell("exec sleep 600");
  hook.timeout = 1;
  const auto run = run_hooks(std::vector{hook}, "poststop", "");
  EXPECT_THAT(run.error().message(), HasSubstr("took longer than 1 s"));
}

TEST(HooksPlan, HasArgumentsReadyForTheChild) {
  Hooks hooks;
  Hook bare;
  bare.path = "/h";
  bare.timeout = 4294967295;
  hooks.create_container = {bare};
  hooks.start_container = {shell("true")};
  const auto plan = plan_hooks(hooks);
  ASSERT_TRUE(plan.ok());
  EXPECT_TRUE(plan->create_state.valid());
  EXPECT_TRUE(plan->start_state.valid());
  const ChildHook& first = *plan->create_container[0];
  ASSERT_EQ(first.argv.size(), 2U);
  EXPECT_STREQ(first.argv[0], "/h") << "its path stands for arguments that are not given";
  EXPECT_EQ(first.argv[1], nullptr);
  EXPECT_EQ(first.envp, std::vector<char*>{nullptr});
  EXPECT_EQ(first.timeout_ms, -1) << "longer than milliseconds can say";
  EXPECT_STREQ(plan->start_container[0]->argv[2], "true");
  hooks.create_container.clear();
  EXPECT_FALSE(plan_hooks(hooks)->create_state.valid());
  EXPECT_FALSE(plan_hooks({})->start_state.valid());
}

}  // namespace
}  // namespace berth::container
