// The conformance suite of Driver: what every driver promises, whatever kind of network it makes. A
// driver joins by instantiating DriverSuite with a DriverCase (driver_root_test.cc). Each check
// runs in a World of its own.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "network/driver.h"
#include "network/world_testing.h"

namespace berth::network {

/// A driver with whatever it needs, as one engine process has it. Destroying it is the death of
/// that process: the kernel keeps what the driver made.
class DriverRig {
 public:
  virtual ~DriverRig() = default;
  virtual Driver& driver() = 0;
};

struct DriverCase {
  std::string name;
  bool has_addresses = false;  // endpoints have an interface and an address
  NetworkInfo network;
  std::function<std::unique_ptr<DriverRig>()> make;
};

/// How GoogleTest names a case in its messages.
inline void PrintTo(const DriverCase& driver_case, std::ostream* out) {
  *out << driver_case.name;
}

class DriverSuite : public testing::TestWithParam<DriverCase> {
 protected:
  void SetUp() override;
  /// The engine process dies and another takes over; the network is created, which adopts it.
  void restart();

  Driver& driver() { return rig_->driver(); }
  const NetworkInfo& network() const { return GetParam().network; }

  /// An endpoint on its way up: created, joined, its ports open.
  struct Connected {
    Endpoint endpoint;
    UniqueFd sandbox;  // invalid where the driver has none
  };
  Result<Connected> connect(const EndpointOptions& options = {}, bool prepared = false);
  /// All the way back.
  void disconnect(const Endpoint& endpoint);

  World world_;
  HostState before_;  // without the network
  std::unique_ptr<DriverRig> rig_;
};

}  // namespace berth::network
