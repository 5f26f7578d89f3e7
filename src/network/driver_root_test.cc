// The drivers that pass the conformance suite.
#include "network/driver_testsuite.h"
#include "network/drivers/bridge.h"
#include "network/drivers/host.h"
#include "network/drivers/null.h"

namespace berth::network {
namespace {

template <typename SimpleDriver>
class SimpleRig final : public DriverRig {
 public:
  Driver& driver() override { return driver_; }

 private:
  SimpleDriver driver_;
};

class BridgeRig final : public DriverRig {
 public:
  // A firewall that cannot be made ends the test: the suite has nothing to say then.
  BridgeRig()
      : links_("berth0"),
        firewall_(MUST(Firewall::open("berth"))),
        driver_({ipam_, ports_, links_, *firewall_}) {}
  Driver& driver() override { return driver_; }

 private:
  Ipam ipam_;
  PortReservations ports_;
  HostLinks links_;
  std::unique_ptr<Firewall> firewall_;
  BridgeDriver driver_;
};

template <typename Rig>
DriverCase driver_case(const std::string& name, NetworkInfo network) {
  network.id = NetworkId(std::string(64, 'a'));
  network.name = name;
  network.driver = name;
  const bool has_addresses = !network.subnet.empty();
  return {name, has_addresses, std::move(network), [] { return std::make_unique<Rig>(); }};
}

NetworkInfo subnet(bool internal) {
  NetworkInfo network;
  network.subnet = "10.77.0.0/24";
  network.gateway = "10.77.0.1";
  network.internal = internal;
  network.options = {{kBridgeNameOption, "berth0"}};
  return network;
}

INSTANTIATE_TEST_SUITE_P(Drivers, DriverSuite,
                         testing::Values(driver_case<SimpleRig<NullDriver>>("null", {}),
                                         driver_case<SimpleRig<HostDriver>>("host", {}),
                                         driver_case<BridgeRig>("bridge", subnet(false)),
                                         driver_case<BridgeRig>("bridge_internal", subnet(true))),
                         [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace berth::network
