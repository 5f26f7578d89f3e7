// A disk that is full, played by a small tmpfs in a mount namespace of the test's own.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

#include <thread>

#include "image/archive/tar_builder_testing.h"
#include "image/image_service.h"
#include "image/load/archive_builder_testing.h"
#include "sys/dir.h"
#include "sys/temp_dir_testing.h"

namespace berth::image {
namespace {

Result<void> enter_small_disk(const std::string& path) {
  if (::unshare(CLONE_NEWNS) != 0) return fail_errno("unshare");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return fail_errno("make private");
  if (::mount("tmpfs", path.c_str(), "tmpfs", 0, "size=6m") != 0) return fail_errno("mount tmpfs");
  return {};
}

/// Loads what does not fit, and sees that it is gone again and the disk is of use.
void fill_the_disk(const std::string& root) {
  const auto service = MUST(ImageService::open({.root = root + "/image", .driver = ""}));
  const std::string large = tar_of({{"f", std::string(16U << 20, 'x')}});
  const TestImage image{{large}, {"large:1"}, "amd64", "sh"};
  // The first does not even fit into staging; the second does, and its layer does not.
  for (const std::string& archive : {docker_archive({image}), oci_layout({image}, gzip)}) {
    StringSource source(archive);
    const auto loaded = service->load(source);
    ASSERT_FALSE(loaded.ok());
    EXPECT_EQ(loaded.error().kind(), ErrorKind::kExhausted) << loaded.error().message();
    EXPECT_NE(loaded.error().message().find("No space left on device"), std::string::npos);
    EXPECT_TRUE(MUST(service->snapshots().list()).empty());
  }
  StringSource small(docker_archive({{{tar_of({{"f", "x"}})}, {"small:1"}, "amd64", "sh"}}));
  EXPECT_TRUE(service->load(small).ok());
}

TEST(DiskFull, LoadsThatDoNotFitLeaveNothingBehind) {
  const sys::TempDir dir;
  // A thread's mount namespace is its own, and goes with it.
  std::jthread([&] {
    const auto entered = enter_small_disk(dir.path());
    ASSERT_TRUE(entered.ok()) << entered.error().message();
    fill_the_disk(dir.path());
  }).join();
}

}  // namespace
}  // namespace berth::image
