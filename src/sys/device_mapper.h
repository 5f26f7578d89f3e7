// Device mapper: block devices made of others, by ioctl(2) on /dev/mapper/control, without the
// library. Devices are found by the name that they were given; what is theirs in /dev is made by
// devtmpfs. Linux, admin-guide/device-mapper/; include/uapi/linux/dm-ioctl.h. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace berth::sys {

inline constexpr std::uint64_t kSector = 512;

struct MappedDevice {
  unsigned major = 0;
  unsigned minor = 0;
  int users = 0;
  std::string path() const;    // "/dev/dm-3"
  std::string number() const;  // "253:3", as tables have it
};

/// What a device is, all of it of one kind.
struct MappedTable {
  std::string type;  // "thin"
  std::uint64_t bytes = 0;
  std::string parameters = {};
};

class DeviceMapper {
 public:
  /// kUnsupported: the kernel has no device mapper.
  static Result<DeviceMapper> open();

  Result<std::optional<MappedDevice>> find(const std::string& name) const;
  /// A device that is ready. kConflict if there is one of that name.
  Result<MappedDevice> create(const std::string& name, const MappedTable& table) const;
  /// It goes now, or when its last user does; no error if there is none.
  Result<void> remove(const std::string& name) const;
  /// It does not go with its last user. kNotFound: it is gone.
  Result<void> keep(const std::string& name) const;
  /// Its kind, its size, and, as parameters, what that kind says of itself.
  Result<MappedTable> status(const std::string& name) const;
  Result<void> message(const std::string& name, const std::string& text) const;
  /// A file system on it is clean, and nothing is written to it, until it is resumed.
  Result<void> suspend(const std::string& name) const;
  Result<void> resume(const std::string& name) const;

 private:
  explicit DeviceMapper(UniqueFd control) : control_(std::move(control)) {}
  UniqueFd control_;
};

}  // namespace berth::sys
