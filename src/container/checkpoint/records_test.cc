// What is read of others' files: criu's log, /proc/<pid>/cgroup, descriptors.json.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "container/checkpoint/cgroup_roots.h"
#include "container/checkpoint/criu_log.h"
#include "container/checkpoint/descriptors.h"
#include "sys/dir.h"
#include "sys/temp_dir_testing.h"

namespace berth::container {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CheckpointRecords : public ::testing::Test {
 protected:
  std::string put(const std::string& name, const std::string& text) {
    std::ofstream(directory_.path() + "/" + name) << text;
    return directory_.path() + "/" + name;
  }
  Result<std::vector<CriuInheritedFd>> pipes_of(const std::string& json) {
    put("descriptors.json", json);
    return read_descriptors(TRY(sys::open_dir(directory_.path())).get());
  }
  sys::TempDir directory_;
};

TEST_F(CheckpointRecords, TheLastErrorOfALogIsTheOneThatSaysWhy) {
  const std::string log =
      put("dump.log",
          "(00.01) Warn  (criu/x.c:1): no matter\n(00.02) Error (criu/a.c:1): first\n"
          "(00.03)     12: Error (criu/b.c:2): tar failed\n(00.04) Unlock network\n"
          "(00.05) Error (criu/cr-dump.c:2053): Dumping FAILED.\n");
  EXPECT_EQ(last_error_in(log), "12: Error (criu/b.c:2): tar failed");
  const Error error = with_log(Error(ErrorKind::kInternal, "criu cannot dump"), log);
  EXPECT_EQ(error.message(),
            "criu cannot dump: 12: Error (criu/b.c:2): tar failed (its log is " + log + ")");
}

TEST_F(CheckpointRecords, ALogMayHaveNoErrorOrOnlyTheLast) {
  EXPECT_EQ(last_error_in(put("log", "(00.05) Error (criu/cr-dump.c:2): Dumping FAILED.\n")),
            "Error (criu/cr-dump.c:2): Dumping FAILED.");
  EXPECT_EQ(last_error_in(put("log", "all is well")), "");
  EXPECT_EQ(last_error_in(put("log", "")), "");
  EXPECT_EQ(last_error_in("/nowhere/log"), "");
  EXPECT_EQ(with_log(Error(ErrorKind::kInternal, "why"), "/nowhere/log").message(), "why");
  const std::string log = put("log", "Error: said");
  EXPECT_EQ(with_log(Error(ErrorKind::kInternal, "Error: said"), log).message(),
            "Error: said (its log is " + log + ")");
}

TEST_F(CheckpointRecords, OnlyTheEndOfALogIsRead) {
  const std::string log = put("log", "Error: far away\n" + std::string(1 << 20, 'x') + "\n" +
                                         "Error: " + std::string(5000, 'y'));
  EXPECT_EQ(last_error_in(log).size(), 400U);
}

TEST_F(CheckpointRecords, CgroupsOfEachVersion) {
  const auto roots = parse_cgroup_roots(
      "5:cpu,cpuacct:/berth/c\n1:name=systemd:/user\n\nnonsense\n2:half\n0::/a:b\n");
  std::vector<std::string> texts;
  for (const auto& [controller, path] : roots) texts.push_back(controller + " " + path);
  EXPECT_THAT(texts,
              ElementsAre("cpu /berth/c", "cpuacct /berth/c", "name=systemd /user", " /a:b"));
  EXPECT_THAT(parse_cgroup_roots(""), IsEmpty());
}

TEST_F(CheckpointRecords, OnlyPipesAreInherited) {
  const auto pipes = pipes_of(R"(["/dev/null", "pipe:[12]", "pipe:[13]", "pipe:[14]"])");
  ASSERT_TRUE(pipes.ok()) << pipes.error().message();
  ASSERT_EQ(pipes->size(), 2U);
  EXPECT_EQ((*pipes)[0].key, "pipe:[12]");
  EXPECT_EQ((*pipes)[0].fd, 1);
  EXPECT_EQ((*pipes)[1].fd, 2);
  EXPECT_TRUE(pipes_of("[]")->empty());
}

TEST_F(CheckpointRecords, DescriptorsThatAreNoneAreCorrupt) {
  for (const char* json : {"", "{}", "[1]", "[\"pipe:[1]\"", "[] []", "null"})
    EXPECT_EQ(pipes_of(json).error().kind(), ErrorKind::kCorrupt) << json;
}

TEST_F(CheckpointRecords, ADirectoryWithoutDescriptorsIsNoCheckpoint) {
  const auto directory = sys::open_dir(directory_.path());
  EXPECT_EQ(read_descriptors(directory->get()).error().kind(), ErrorKind::kNotFound);
  ASSERT_TRUE(write_descriptors(directory->get(), {"/dev/null", "pipe:[1]", "pipe:[2]"}).ok());
  EXPECT_EQ(read_descriptors(directory->get())->size(), 2U);
}

}  // namespace
}  // namespace berth::container
