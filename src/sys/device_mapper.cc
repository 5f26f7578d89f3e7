#include "sys/device_mapper.h"

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

#include "sys/file.h"

namespace berth::sys {
namespace {

/// Room for a table or a status of one target.
constexpr std::size_t kBuffer = 16U << 10;

/// The argument of every call: a header, and behind it what the call takes or gives.
class Request {
 public:
  explicit Request(const std::string& name) {
    dm_ioctl& head = this->head();
    head.version[0] = DM_VERSION_MAJOR;  // no later minor version is needed
    head.data_size = kBuffer;
    head.data_start = sizeof(dm_ioctl);
    name.copy(static_cast<char*>(head.name), sizeof head.name - 1);
  }

  dm_ioctl& head() { return *reinterpret_cast<dm_ioctl*>(bytes_.get()); }
  std::byte* data() { return bytes_.get() + sizeof(dm_ioctl); }

  void put_table(const MappedTable& table) {
    dm_target_spec spec{};
    spec.length = table.bytes / kSector;
    table.type.copy(static_cast<char*>(spec.target_type), sizeof spec.target_type - 1);
    put(&spec, sizeof spec, table.parameters);
    head().target_count = 1;
  }
  void put_message(const std::string& text) {
    const dm_target_msg message{};
    put(&message, offsetof(dm_target_msg, message), text);
  }
  MappedDevice device() {
    const auto number = static_cast<dev_t>(head().dev);
    return {.major = major(number), .minor = minor(number), .users = head().open_count};
  }

 private:
  void put(const void* fixed, std::size_t size, std::string_view text) {
    std::memcpy(data(), fixed, size);
    text.copy(reinterpret_cast<char*>(data() + size), kBuffer - sizeof(dm_ioctl) - size - 1);
  }

  std::unique_ptr<std::byte[]> bytes_ = std::make_unique<std::byte[]>(kBuffer);
};

Result<void> call(int control, unsigned long command, Request& request, std::string_view what) {
  if (::ioctl(control, command, &request.head()) == 0) return {};
  return fail_errno("{} {}", what, static_cast<const char*>(request.head().name));
}

}  // namespace

std::string MappedDevice::path() const {
  return fmt::format("/dev/dm-{}", minor);
}
std::string MappedDevice::number() const {
  return fmt::format("{}:{}", major, minor);
}

Result<DeviceMapper> DeviceMapper::open() {
  auto control = open_file("/dev/mapper/control", O_RDWR);
  if (!control.ok()) {
    return std::move(control)
        .error()
        .with_kind(ErrorKind::kUnsupported)
        .context("this kernel has no device mapper");
  }
  return DeviceMapper(std::move(*control));
}

Result<std::optional<MappedDevice>> DeviceMapper::find(const std::string& name) const {
  Request request(name);
  const auto found = call(control_.get(), DM_DEV_STATUS, request, "look for device");
  if (!found.ok() && found.error().os_errno() == ENXIO) return std::optional<MappedDevice>();
  if (!found.ok()) return found.error();
  return std::optional(request.device());
}

Result<MappedDevice> DeviceMapper::create(const std::string& name, const MappedTable& table) const {
  Request made(name);
  if (auto created = call(control_.get(), DM_DEV_CREATE, made, "create device"); !created.ok()) {
    // There is one, or it is on its way out.
    if (created.error().os_errno() == EBUSY)
      return std::move(created).error().with_kind(ErrorKind::kConflict);
    return std::move(created).error();
  }
  Request load(name);
  load.put_table(table);
  auto ready = call(control_.get(), DM_TABLE_LOAD, load, "set up device");
  if (ready.ok()) ready = resume(name);
  if (!ready.ok()) {
    (void)remove(name);
    return std::move(ready).error();
  }
  return made.device();
}

Result<void> DeviceMapper::remove(const std::string& name) const {
  Request request(name);
  request.head().flags = DM_DEFERRED_REMOVE;
  auto removed = call(control_.get(), DM_DEV_REMOVE, request, "remove device");
  if (!removed.ok() && removed.error().os_errno() == ENXIO) return {};
  return removed;
}

Result<void> DeviceMapper::keep(const std::string& name) const {
  auto kept = message(name, "@cancel_deferred_remove");
  if (!kept.ok() && kept.error().os_errno() == ENXIO)
    return std::move(kept).error().with_kind(ErrorKind::kNotFound);
  return kept;
}

Result<MappedTable> DeviceMapper::status(const std::string& name) const {
  Request request(name);
  TRY(call(control_.get(), DM_TABLE_STATUS, request, "ask for the status of device"));
  dm_target_spec spec{};
  std::memcpy(&spec, request.data(), sizeof spec);
  // The kernel ends the texts, in a buffer that is all zeros behind them.
  return MappedTable{
      .type = static_cast<const char*>(spec.target_type),
      .bytes = spec.length * kSector,
      .parameters = reinterpret_cast<const char*>(request.data() + sizeof(dm_target_spec))};
}

Result<void> DeviceMapper::message(const std::string& name, const std::string& text) const {
  Request request(name);
  request.put_message(text);
  return call(control_.get(), DM_TARGET_MSG, request, fmt::format("send '{}' to device", text));
}

Result<void> DeviceMapper::suspend(const std::string& name) const {
  Request request(name);
  request.head().flags = DM_SUSPEND_FLAG;
  return call(control_.get(), DM_DEV_SUSPEND, request, "suspend device");
}

Result<void> DeviceMapper::resume(const std::string& name) const {
  Request request(name);
  return call(control_.get(), DM_DEV_SUSPEND, request, "resume device");
}

}  // namespace berth::sys
