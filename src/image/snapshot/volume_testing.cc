#include "image/snapshot/volume_testing.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/loop.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "sys/dir.h"
#include "sys/file.h"

namespace berth::image {
namespace {

/// Others may take the device that was free a moment ago.
constexpr int kAttempts = 16;

Result<void> enter_own_mounts() {
  if (::unshare(CLONE_NEWNS) != 0) return fail_errno("unshare(CLONE_NEWNS)");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return fail_errno("make mounts private");
  }
  return {};
}

/// The device goes when its last user does.
Result<UniqueFd> attach(int file, std::string& device) {
  const UniqueFd control = TRY(sys::open_file("/dev/loop-control", O_RDWR));
  for (int i = 0; i < kAttempts; ++i) {
    const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
    if (number < 0) return fail_errno("find a loop device");
    device = fmt::format("/dev/loop{}", number);
    UniqueFd loop = TRY(sys::open_file(device, O_RDWR));
    loop_config config{};
    config.fd = static_cast<std::uint32_t>(file);
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
    if (::ioctl(loop.get(), LOOP_CONFIGURE, &config) == 0) return loop;
    if (errno != EBUSY) return fail_errno("set up {}", device);
  }
  return fail(ErrorKind::kExhausted, "no loop device is free");
}

Result<void> build(const std::string& dir, const std::string& path, const std::string& type,
                   std::uint64_t bytes) {
  const std::string image = dir + "/volume";
  const UniqueFd file = TRY(sys::open_file(image, O_RDWR | O_CREAT | O_EXCL, 0600));
  if (::ftruncate(file.get(), static_cast<off_t>(bytes)) != 0) return fail_errno("set size");
  if (std::system(fmt::format("mkfs.{} -q {} >/dev/null", type, image).c_str()) != 0) {
    return fail(ErrorKind::kInternal, "mkfs.{} failed", type);
  }
  TRY(sys::make_dirs(path));
  TRY(enter_own_mounts());
  std::string device;
  const UniqueFd loop = TRY(attach(file.get(), device));
  if (::mount(device.c_str(), path.c_str(), type.c_str(), 0, nullptr) != 0) {
    return fail_errno("mount {}", device);
  }
  return {};
}

Result<void> build_overlay(const std::string& dir, const std::string& path) {
  for (const char* sub : {"lower", "upper", "work"}) TRY(sys::make_dirs(dir + "/" + sub));
  TRY(sys::make_dirs(path));
  TRY(enter_own_mounts());
  const std::string options =
      fmt::format("lowerdir={0}/lower,upperdir={0}/upper,workdir={0}/work", dir);
  if (::mount("overlay", path.c_str(), "overlay", 0, options.c_str()) != 0) {
    return fail_errno("mount an overlay");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Volume>> Volume::make(const std::string& dir, const std::string& type,
                                             std::uint64_t bytes) {
  const std::string path = dir + "/mounted";
  if (type == "overlay") {
    TRY(build_overlay(dir, path));
    return std::unique_ptr<Volume>(new Volume(path));
  }
  if (!has_program("mkfs." + type)) {
    return fail(ErrorKind::kUnsupported, "mkfs.{} is not installed", type);
  }
  const std::string known = TRY(sys::read_file("/proc/filesystems"));
  if (known.find("\t" + type + "\n") == std::string::npos) {
    return fail(ErrorKind::kUnsupported, "this kernel has no {}", type);
  }
  if (::access("/dev/loop-control", F_OK) != 0) {
    return fail(ErrorKind::kUnsupported, "this host has no loop devices");
  }
  TRY(build(dir, path, type, bytes));
  return std::unique_ptr<Volume>(new Volume(path));
}

Volume::~Volume() {
  ::umount2(path_.c_str(), MNT_DETACH);
}

bool has_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/sbin:/usr/bin:/sbin:/bin";
  while (!rest.empty()) {
    const auto end = std::min(rest.find(':'), rest.size());
    if (::access(fmt::format("{}/{}", rest.substr(0, end), name).c_str(), X_OK) == 0) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

}  // namespace berth::image
