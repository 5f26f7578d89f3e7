// What connecting and disconnecting cost: printed, not judged (a busy machine is no reason to
// fail).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <vector>

#include "network/controller.h"
#include "network/world_testing.h"

namespace berth::network {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRounds = 60;

class Samples {
 public:
  template <typename F>
  auto time(F work) {
    const auto start = Clock::now();
    auto result = work();
    microseconds_.push_back(
        std::chrono::duration<double, std::micro>(Clock::now() - start).count());
    return result;
  }
  double median() {
    std::ranges::sort(microseconds_);
    return microseconds_[microseconds_.size() / 2];
  }

 private:
  std::vector<double> microseconds_;
};

void measure(const std::string& what, unsigned pool_size, const EndpointOptions& endpoint) {
  World world;
  Controller::Options options;
  options.state_dir = world.directory();
  options.pool_size = pool_size;
  auto controller = Controller::open(options);
  ASSERT_TRUE(controller.ok()) << controller.error().message();
  ASSERT_TRUE((*controller)->finish_adoption().ok());
  Samples up;
  Samples down;
  for (int i = 0; i < kRounds; ++i) {
    (*controller)->wait_until_settled();
    auto connection = up.time([&] { return (*controller)->connect("bridge", endpoint); });
    ASSERT_TRUE(connection.ok()) << connection.error().message();
    const auto gone = down.time([&] { return (*controller)->disconnect(connection->endpoint); });
    ASSERT_TRUE(gone.ok());
  }
  fmt::print("{:<28} connect {:>7.0f} us   disconnect {:>7.0f} us   (medians of {})\n", what,
             up.median(), down.median(), kRounds);
}

TEST(ConnectCost, IsPrinted) {
  EndpointOptions plain;
  EndpointOptions published;
  published.ports = {{Protocol::kTcp, 80, "", 8080}};
  measure("pool hit", 2, plain);
  measure("pool hit, one port", 2, published);
  measure("no pool", 0, plain);
  measure("no pool, one port", 0, published);
}

}  // namespace
}  // namespace berth::network
