// UnitManager: a connection to a systemd and what is asked of it: to start, change and stop
// transient units. org.freedesktop.systemd1(5).
//
//   StartTransientUnit -------------------->
//   <-------------------------- path of a job
//   <---------- JobRemoved, path, its result   the unit has begun, "done", or it has not
//
// Not thread-safe. Each call ends within the patience, or fails with kExhausted. What systemd
// refuses is said in its own words, with the kind that its error's name stands for.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "container/systemd/bus.h"
#include "container/systemd/properties.h"
#include "container/systemd/unit.h"

namespace berth::container {

class UnitManager {
 public:
  /// How long systemd may take. It answers in a millisecond; a start waits for those before it.
  static constexpr std::chrono::seconds kPatience{30};

  /// The host's systemd, or, without privileges, the user's. kUnsupported: there is none.
  static Result<UnitManager> connect();
  /// The first that answers.
  static Result<UnitManager> connect(const std::vector<BusAddress>& addresses,
                                     std::chrono::milliseconds patience = kPatience);

  /// 252, of "252.38-1~deb12u1".
  Result<int> version();
  /// The cgroup that every unit's is below, "" for the root: a user's manager has one of its own.
  Result<std::string> control_group();

  /// Makes the unit and waits until it has begun. kConflict: there is one of that name. After
  /// another error it may be there all the same: stop() is what ends it.
  Result<void> start(const std::string& unit, std::span<const UnitProperty> properties);
  /// Changes a unit until it ends, and at once.
  Result<void> set_properties(const std::string& unit, std::span<const UnitProperty> properties);
  /// Moves a process into the unit's cgroup, or into the one at `below` in it ("" or "/path").
  Result<void> attach(const std::string& unit, const std::string& below, std::uint32_t pid);
  /// Stops the unit, waits, and makes systemd forget that it failed, if it did. What is not there
  /// is stopped.
  Result<void> stop(const std::string& unit);

 private:
  UnitManager(std::chrono::milliseconds patience, Bus bus)
      : patience_(patience), bus_(std::move(bus)) {}
  BusDeadline deadline() const { return std::chrono::steady_clock::now() + patience_; }
  Result<void> listen();
  Result<std::string> property(const char* name);
  Result<BusAnswer> call(const char* member, std::string signature, std::string body,
                         BusDeadline deadline);
  Result<std::string> wait_for_job(const BusMessage& answer, BusDeadline deadline);
  void forget_failure(const std::string& unit);

  std::chrono::milliseconds patience_;
  Bus bus_;
};

}  // namespace berth::container
