#include "container/isolate/execute.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "sys/temp_dir_testing.h"

namespace berth::container {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Spec running(std::vector<std::string> args, std::vector<std::string> env = {}) {
  Spec spec;
  spec.process.args = std::move(args);
  spec.process.env = std::move(env);
  return spec;
}

std::vector<std::string> candidates(const std::string& program, std::vector<std::string> env = {}) {
  ExecutePlan plan;
  EXPECT_TRUE(plan_execute(running({program}, std::move(env)), plan).ok());
  return plan.candidates;
}

std::vector<std::string> texts(const std::vector<char*>& list) {
  std::vector<std::string> out;
  for (const char* text : list) out.emplace_back(text ? text : "(null)");
  return out;
}

TEST(ExecutePlan, ANameWithASlashIsTheOnlyCandidate) {
  for (const char* path : {"/bin/sh", "./sh", "a/b", "/"})
    EXPECT_THAT(candidates(path, {"PATH=/x"}), ElementsAre(path));
}

TEST(ExecutePlan, ANameAloneIsLookedUpInTheWorkloadsPath) {
  EXPECT_THAT(candidates("sh", {"PATH=/a:/b/c"}), ElementsAre("/a/sh", "/b/c/sh"));
  EXPECT_THAT(candidates("sh", {"PATHS=/a", "PATH=/b"}), ElementsAre("/b/sh"));
}

TEST(ExecutePlan, WithoutAPathTheUsualOneIsSearched) {
  EXPECT_THAT(candidates("sh"), ElementsAre("/usr/local/sbin/sh", "/usr/local/bin/sh",
                                            "/usr/sbin/sh", "/usr/bin/sh", "/sbin/sh", "/bin/sh"));
}

TEST(ExecutePlan, AnEmptyEntryOfThePathIsTheWorkingDirectory) {
  EXPECT_THAT(candidates("sh", {"PATH=:/a::/b:"}),
              ElementsAre("./sh", "/a/sh", "./sh", "/b/sh", "./sh"));
  EXPECT_THAT(candidates("sh", {"PATH="}), ElementsAre("./sh"));
}

TEST(ExecutePlan, ArgumentsAndEnvironmentEndWithNull) {
  ExecutePlan plan;
  ASSERT_TRUE(plan_execute(running({"sh", "-c", ""}, {"A=b", "HOME=/h"}), plan).ok());
  EXPECT_THAT(texts(plan.argv), ElementsAre("sh", "-c", "", "(null)"));
  EXPECT_THAT(texts(plan.envp), ElementsAre("A=b", "HOME=/h", "(null)", "(null)"));
  EXPECT_FALSE(plan.needs_home);
}

TEST(ExecutePlan, AnEmptyHomeIsNone) {
  ExecutePlan plan;
  ASSERT_TRUE(plan_execute(running({"sh"}, {"HOME=", "A=b"}), plan).ok());
  EXPECT_TRUE(plan.needs_home);
  EXPECT_THAT(texts(plan.envp), ElementsAre("A=b", "(null)", "(null)"));
}

TEST(ExecutePlan, HomeIsFoundInThePasswdFile) {
  ExecutePlan plan;
  ASSERT_TRUE(plan_execute(running({"sh"}, {"A=b"}), plan).ok());
  enter_home(plan, 0);
  EXPECT_THAT(texts(plan.envp), ElementsAre("A=b", "HOME=/root", "(null)"));
  ExecutePlan nobody;
  ASSERT_TRUE(plan_execute(running({"sh"}), nobody).ok());
  enter_home(nobody, 4000000001U);
  EXPECT_EQ(texts(nobody.envp).front().substr(0, 6), "HOME=/");
}

TEST(ExecutePlan, AFilterMayForbidExecveat) {
  Spec spec = running({"sh"});
  ExecutePlan none;
  ASSERT_TRUE(plan_execute(spec, none).ok());
  EXPECT_FALSE(none.has_seccomp);
  EXPECT_TRUE(none.may_execveat);
  SeccompProfile& profile = spec.linux_.seccomp.emplace();
  profile.syscalls = {
      {.names = {"execve"}, .action = SeccompAction::kAllow, .errno_ret = {}, .args = {}}};
  ExecutePlan without;
  ASSERT_TRUE(plan_execute(spec, without).ok());
  EXPECT_TRUE(without.has_seccomp);
  EXPECT_FALSE(without.may_execveat);
  profile.syscalls[0].names.push_back("execveat");
  ExecutePlan with;
  ASSERT_TRUE(plan_execute(spec, with).ok());
  EXPECT_TRUE(with.may_execveat);
}

TEST(ExecutePlan, AFilterThatCannotBeCompiledIsAnError) {
  Spec spec = running({"sh"});
  spec.linux_.seccomp.emplace().flags = {"X"};
  ExecutePlan plan;
  EXPECT_EQ(plan_execute(spec, plan).error().kind(), ErrorKind::kUnsupported);
}

// What init finds in a file system, as it would just before its exec.
class FindProgram : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return directory_.path() + "/" + name; }
  std::string put(const std::string& name, const std::string& text, mode_t mode = 0755) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    std::ofstream(path(name)) << text;
    EXPECT_EQ(::chmod(path(name).c_str(), mode), 0);
    return path(name);
  }
  /// The candidate that is chosen, or what failed.
  std::string find(const std::string& program, const std::string& search = "") {
    ExecutePlan plan;
    EXPECT_TRUE(plan_execute(running({program}, {"PATH=" + search}), plan).ok());
    Child child;
    std::size_t chosen = 99;
    if (find_program(child, plan, &chosen)) return plan.candidates[chosen];
    failure_ = child.failure;
    return child.failure.step == Step::kOwnProgram ? "own" : ::strerror(child.failure.error);
  }

  sys::TempDir directory_;
  Failure failure_;
};

TEST_F(FindProgram, TakesTheFirstOfThePathThatIsOne) {
  put("b/tool", "#!/bin/sh\n");
  put("c/tool", "");
  EXPECT_EQ(find("tool", path("a") + ":" + path("b") + ":" + path("c")), path("b/tool"));
  EXPECT_EQ(find(path("c/tool")), path("c/tool"));
}

TEST_F(FindProgram, ThatIsNowhereIsNotFound) {
  put("file", "");
  EXPECT_EQ(find("tool", path("a") + ":" + path("file")), ::strerror(ENOENT));
  EXPECT_EQ(failure_.step, Step::kExec);
}

TEST_F(FindProgram, WhatCannotRunIsPassedOverButTold) {
  put("a/tool", "", 0644);
  std::filesystem::create_directories(path("b/tool"));
  EXPECT_EQ(find("tool", path("a") + ":" + path("b")), ::strerror(EACCES));
  put("c/tool", "");
  EXPECT_EQ(find("tool", path("a") + ":" + path("b") + ":" + path("c")), path("c/tool"));
}

TEST_F(FindProgram, IsNeverTheRuntimeItself) {
  const std::string own = std::filesystem::read_symlink("/proc/self/exe");
  EXPECT_EQ(find(own), "own");
  ASSERT_EQ(::symlink(own.c_str(), path("link").c_str()), 0);
  EXPECT_EQ(find(path("link")), "own");
  EXPECT_EQ(find(put("script", "#!" + own + "\n")), "own");
  EXPECT_EQ(find(put("arguments", "#! \t" + own + " -x\n")), "own");
  EXPECT_EQ(find(put("twice", "#!" + path("script") + "\n")), "own");
}

// CVE-2019-5736: a link of procfs leads to the file that runs, whatever it is called.
TEST_F(FindProgram, IsNoLinkOfProcfs) {
  EXPECT_EQ(find("/proc/self/exe"), ::strerror(EACCES));
  ASSERT_EQ(::symlink("/proc/self/exe", path("link").c_str()), 0);
  EXPECT_EQ(find(path("link")), ::strerror(EACCES));
  EXPECT_EQ(find(put("script", "#!/proc/self/exe\n")), ::strerror(EACCES));
}

TEST_F(FindProgram, MayBeAScriptOfAnotherProgram) {
  const std::string script = put("script", "#!/bin/sh\n");
  EXPECT_EQ(find(script), script);
  EXPECT_EQ(find(put("missing", "#!/no/such\n")), ::strerror(ENOENT));
  const std::string empty = put("empty", "");
  EXPECT_EQ(find(empty), empty);
  const std::string short_one = put("short", "#!");
  EXPECT_EQ(find(short_one), short_one);
  const std::string loop = put("loop", "#!" + path("loop") + "\n");
  EXPECT_EQ(find(loop), loop) << "the kernel gives up by itself";
}

TEST(WorkingDirectory, IsEnteredOrNamesTheReason) {
  const std::string before = std::filesystem::current_path();
  ExecutePlan plan;
  Child child;
  plan.cwd = "/usr";
  EXPECT_TRUE(enter_working_directory(child, plan));
  EXPECT_EQ(std::filesystem::current_path(), "/usr");
  plan.cwd = "/no/such";
  EXPECT_FALSE(enter_working_directory(child, plan));
  EXPECT_EQ(child.failure.step, Step::kWorkingDirectory);
  EXPECT_EQ(child.failure.error, ENOENT);
  std::filesystem::current_path(before);
}

}  // namespace
}  // namespace berth::container
