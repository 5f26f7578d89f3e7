#include "sys/loop_device.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstdint>

#include "sys/file.h"

namespace berth::sys {
namespace {

/// Others may take the device that was free a moment ago.
constexpr int kAttempts = 64;

}  // namespace

Result<LoopDevice> attach_loop(int fd, bool read_only) {
  const auto control = open_file("/dev/loop-control", O_RDWR);
  if (!control.ok()) return fail(ErrorKind::kUnsupported, "this host has no loop devices");
  for (int i = 0; i < kAttempts; ++i) {
    const int number = ::ioctl(control->get(), LOOP_CTL_GET_FREE);
    if (number < 0) return fail_errno("find a loop device");
    LoopDevice device{.path = fmt::format("/dev/loop{}", number), .fd = {}};
    device.fd = TRY(open_file(device.path, read_only ? O_RDONLY : O_RDWR));
    loop_config config{};
    config.fd = static_cast<std::uint32_t>(fd);
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR | (read_only ? LO_FLAGS_READ_ONLY : 0);
    if (::ioctl(device.fd.get(), LOOP_CONFIGURE, &config) == 0) return device;
    if (errno != EBUSY) return fail_errno("set up {}", device.path);
  }
  return fail(ErrorKind::kExhausted, "no loop device is free");
}

}  // namespace berth::sys
