// The words of the flags, and what criu is told by them.
#include "container/checkpoint/options.h"

#include <gtest/gtest.h>

#include "sys/temp_dir_testing.h"

namespace berth::container {
namespace {

TEST(CheckpointOptions, ModesOfCgroups) {
  EXPECT_EQ(*parse_cgroup_mode(""), CriuCgroupMode::kSoft);
  EXPECT_EQ(*parse_cgroup_mode("full"), CriuCgroupMode::kFull);
  EXPECT_EQ(*parse_cgroup_mode("strict"), CriuCgroupMode::kStrict);
  EXPECT_EQ(*parse_cgroup_mode("ignore"), CriuCgroupMode::kIgnore);
  EXPECT_EQ(parse_cgroup_mode("props").error().kind(), ErrorKind::kInvalid);
}

TEST(CheckpointOptions, PageServers) {
  EXPECT_EQ(parse_page_server("10.0.0.1:9000")->address, "10.0.0.1");
  EXPECT_EQ(parse_page_server("host:65535")->port, 65535);
  EXPECT_EQ(parse_page_server("[::1]:27")->address, "::1");
  for (const char* text :
       {"", "host", ":1", "host:", "host:0", "host:65536", "host:1x", "::1:27", "[]:1", "host:-1"})
    EXPECT_FALSE(parse_page_server(text).ok()) << text;
}

TEST(CheckpointOptions, TheLogIsInTheWorkDirectoryOrWithTheImages) {
  CriuCommon common;
  common.image_path = "/images";
  EXPECT_EQ(common.log_path("dump.log"), "/images/dump.log");
  common.work_path = "/other";
  EXPECT_EQ(common.log_path("dump.log"), "/other/dump.log");
}

TEST(CheckpointOptions, AnnotationsNameTheConfigurationOfCriu) {
  const sys::TempDir directory;
  CriuCommon common;
  common.image_path = directory.path();
  common.file_locks = true;
  Spec spec;
  auto prepared = prepare_options(common, spec, "dump.log");
  ASSERT_TRUE(prepared.ok()) << prepared.error().message();
  EXPECT_EQ(prepared->options.config_file, "/etc/criu/runc.conf");
  EXPECT_EQ(prepared->options.images_fd, prepared->images.get());
  EXPECT_EQ(prepared->options.work_fd, -1);
  EXPECT_TRUE(prepared->options.file_locks);
  EXPECT_FALSE(prepared->options.shell_job);
  spec.annotations["org.criu.config"] = "/own";
  EXPECT_EQ(prepare_options(common, spec, "dump.log")->options.config_file, "/own");
  spec.annotations["org.criu.config"] = "";
  EXPECT_EQ(prepare_options(common, spec, "dump.log")->options.config_file, "");
}

TEST(CheckpointOptions, ADirectoryThatIsNotThereIsNamed) {
  CriuCommon common;
  common.image_path = "/nowhere/images";
  const auto prepared = prepare_options(common, Spec{}, "dump.log");
  ASSERT_FALSE(prepared.ok());
  EXPECT_EQ(prepared.error().kind(), ErrorKind::kNotFound);
  EXPECT_NE(prepared.error().message().find("/nowhere/images"), std::string::npos);
}

TEST(CheckpointOptions, AContainerNeedsMountsOfItsOwn) {
  Spec spec;
  EXPECT_EQ(need_own_mounts(spec).error().kind(), ErrorKind::kUnsupported);
  spec.linux_.namespaces.push_back({NamespaceType::kMount, {}});
  EXPECT_TRUE(need_own_mounts(spec).ok());
  spec.linux_.namespaces.back().path = "/proc/1/ns/mnt";
  EXPECT_EQ(need_own_mounts(spec).error().kind(), ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace berth::container
