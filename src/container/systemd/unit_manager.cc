#include "container/systemd/unit_manager.h"

#include <array>
#include <charconv>

#include "container/systemd/bus_writer.h"

namespace berth::container {
namespace {

constexpr const char* kName = "org.freedesktop.systemd1";
constexpr const char* kPath = "/org/freedesktop/systemd1";
constexpr const char* kInterface = "org.freedesktop.systemd1.Manager";
// Whatever job may be in the way of ours gives way to it.
constexpr const char* kMode = "replace";

constexpr std::string_view kNoSuchUnit = "org.freedesktop.systemd1.NoSuchUnit";
constexpr std::string_view kUnitExists = "org.freedesktop.systemd1.UnitExists";

struct ErrorRow {
  std::string_view name;
  ErrorKind kind;
};
constexpr auto kErrors = std::to_array<ErrorRow>({
    {kNoSuchUnit, ErrorKind::kNotFound},
    {kUnitExists, ErrorKind::kConflict},
    {"org.freedesktop.DBus.Error.AccessDenied", ErrorKind::kPermission},
    {"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", ErrorKind::kPermission},
    {"org.freedesktop.DBus.Error.InvalidArgs", ErrorKind::kInvalid},
    {"org.freedesktop.DBus.Error.PropertyReadOnly", ErrorKind::kInvalid},
    {"org.freedesktop.DBus.Error.UnknownMethod", ErrorKind::kUnsupported},
    {"org.freedesktop.DBus.Error.ServiceUnknown", ErrorKind::kUnsupported},
});

ErrorKind kind_of(std::string_view name) {
  for (const ErrorRow& row : kErrors)
    if (row.name == name) return row.kind;
  return ErrorKind::kInternal;
}

Result<void> check(const BusAnswer& answer) {
  if (answer.message.type != BusMessageType::kError) return {};
  return Error(kind_of(answer.message.error_name),
               fmt::format("systemd refuses: {}", text_of_error(answer.message)));
}

void write_properties(BusWriter& out, std::span<const UnitProperty> properties) {
  constexpr std::size_t kStruct = 8;
  out.write_array(kStruct, [&] {
    for (const UnitProperty& property : properties) {
      out.align(kStruct);
      out.write(property.name);
      out.write_variant(property.value);
    }
  });
}

Result<Bus> connect_to(const std::vector<BusAddress>& addresses, BusDeadline deadline) {
  std::string tried;
  for (const BusAddress& address : addresses) {
    auto bus = Bus::connect(address, deadline);
    if (bus.ok()) return bus;
    if (!tried.empty()) tried += "; ";
    tried += bus.error().message();
  }
  return fail(ErrorKind::kUnsupported, "systemd cannot be reached: {}", tried);
}

template <typename... Values>
std::string body_of(const Values&... values) {
  BusWriter out;
  (out.write(values), ...);
  return out.take();
}

}  // namespace

Result<UnitManager> UnitManager::connect() {
  TRY(check_systemd_runs());
  return connect(TRY(manager_addresses(bus_environment())));
}

Result<UnitManager> UnitManager::connect(const std::vector<BusAddress>& addresses,
                                         std::chrono::milliseconds patience) {
  Bus bus = TRY(connect_to(addresses, std::chrono::steady_clock::now() + patience));
  UnitManager manager(patience, std::move(bus));
  TRY(manager.listen());
  return manager;
}

// systemd itself sends its signals to whoever is connected; a message bus to who has asked.
Result<void> UnitManager::listen() {
  if (!bus_.is_message_bus()) return {};
  const BusDeadline until = deadline();
  TRY(check(TRY(bus_.call(
      {.path = "/org/freedesktop/DBus",
       .interface = "org.freedesktop.DBus",
       .member = "AddMatch",
       .destination = "org.freedesktop.DBus",
       .signature = "s",
       .body = body_of(fmt::format("type='signal',sender='{}',interface='{}',member='JobRemoved',"
                                   "path='{}'",
                                   kName, kInterface, kPath))},
      until))));
  return check(TRY(call("Subscribe", {}, {}, until)));
}

Result<BusAnswer> UnitManager::call(const char* member, std::string signature, std::string body,
                                    BusDeadline deadline) {
  return bus_.call({.path = kPath,
                    .interface = kInterface,
                    .member = member,
                    .destination = kName,
                    .signature = std::move(signature),
                    .body = std::move(body)},
                   deadline);
}

Result<std::string> UnitManager::property(const char* name) {
  const BusAnswer answer = TRY(bus_.call({.path = kPath,
                                          .interface = "org.freedesktop.DBus.Properties",
                                          .member = "Get",
                                          .destination = kName,
                                          .signature = "ss",
                                          .body = body_of(kInterface, name)},
                                         deadline()));
  TRY(check(answer));
  BusReader reader = answer.message.reader();
  if (answer.message.signature != "v" || TRY(reader.read_signature()) != "s")
    return fail(ErrorKind::kCorrupt, "systemd's property {} is not a text", name);
  return reader.read_string();
}

Result<int> UnitManager::version() {
  const std::string text = TRY(property("Version"));
  const std::string_view digits = std::string_view(text).substr(text.starts_with('v') ? 1 : 0);
  int version = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), version).ec != std::errc())
    return fail(ErrorKind::kCorrupt, "systemd says that its version is '{}'", text);
  return version;
}

Result<std::string> UnitManager::control_group() {
  std::string group = TRY(property("ControlGroup"));
  return group == "/" ? std::string() : group;
}

// The job's result.
Result<std::string> UnitManager::wait_for_job(const BusMessage& answer, BusDeadline deadline) {
  BusReader reader = answer.reader();
  if (answer.signature != "o") return fail(ErrorKind::kCorrupt, "systemd has not named a job");
  const std::string job = TRY(reader.read_string());
  for (;;) {
    const BusMessage signal = TRY(bus_.next_signal(deadline));
    if (signal.member != "JobRemoved" || signal.interface != kInterface ||
        signal.signature != "uoss" || signal.sender != answer.sender)
      continue;
    BusReader removed = signal.reader();
    TRY(removed.read_uint32());
    if (TRY(removed.read_string()) != job) continue;
    TRY(removed.read_string());
    return removed.read_string();
  }
}

Result<void> UnitManager::start(const std::string& unit, std::span<const UnitProperty> properties) {
  BusWriter out;
  out.write(unit);
  out.write(kMode);
  write_properties(out, properties);
  out.write_array(8, [] {});  // no units besides
  const std::string body = out.take();
  const BusDeadline until = deadline();
  const auto attempt = [&] { return call("StartTransientUnit", "ssa(sv)a(sa(sv))", body, until); };
  BusAnswer answer = TRY(attempt());
  // One that failed stays until somebody has looked at it: then it is nobody's.
  if (answer.is_error(kUnitExists)) {
    forget_failure(unit);
    answer = TRY(attempt());
  }
  if (answer.is_error(kUnitExists))
    return fail(ErrorKind::kConflict,
                "the unit {} exists: give linux.cgroupsPath another name, or remove what has it",
                unit);
  TRY(check(answer).context(unit));
  const std::string result = TRY(wait_for_job(answer.message, until).context(unit));
  if (result == "done") return {};
  return fail(
      ErrorKind::kInternal,
      "systemd could not start {}: its job has ended as '{}'; systemctl status {} tells more", unit,
      result, unit);
}

void UnitManager::forget_failure(const std::string& unit) {
  (void)call("ResetFailedUnit", "s", body_of(unit), deadline());
}

Result<void> UnitManager::set_properties(const std::string& unit,
                                         std::span<const UnitProperty> properties) {
  BusWriter out;
  out.write(unit);
  out.write(true);  // until it ends: nothing is written to disk
  write_properties(out, properties);
  return check(TRY(call("SetUnitProperties", "sba(sv)", out.take(), deadline()))).context(unit);
}

Result<void> UnitManager::attach(const std::string& unit, const std::string& below,
                                 std::uint32_t pid) {
  const std::string body = body_of(unit, below, std::vector<std::uint32_t>{pid});
  return check(TRY(call("AttachProcessesToUnit", "ssau", body, deadline()))).context(unit);
}

Result<void> UnitManager::stop(const std::string& unit) {
  const BusDeadline until = deadline();
  const BusAnswer answer = TRY(call("StopUnit", "ss", body_of(unit, kMode), until));
  if (answer.is_error(kNoSuchUnit)) return {};
  TRY(check(answer).context(unit));
  // However it ends: whether anything is left is seen by its cgroup.
  TRY(wait_for_job(answer.message, until).context(unit));
  forget_failure(unit);
  return {};
}

}  // namespace berth::container
