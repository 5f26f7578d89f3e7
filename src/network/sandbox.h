// Sandbox: one network namespace on its way to a workload, with the socket that configures it.
// Owned by one thread at a time. Nothing on the host refers to it: when the last descriptor closes
// and no process is inside, the kernel removes it and every interface in it, also when this process
// was killed.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "network/cnm.h"
#include "sys/netlink_route.h"

namespace berth::network {

/// An interface that was put into a sandbox ahead of its endpoint: up, and without an address.
struct Leg {
  NetworkId network;
  std::string host_link;
  sys::Link inside;
};

class Sandbox {
 public:
  /// A fresh namespace with `lo` up. As in Docker, any group may ping and any user may bind low
  /// ports in it.
  static Result<Sandbox> create();

  int fd() const { return netns_.get(); }
  /// Speaks about the inside.
  sys::RouteSocket& route() { return route_; }

  std::optional<Leg> leg;

  /// Gives the namespace up to the caller.
  UniqueFd release() && { return std::move(netns_); }

 private:
  Sandbox(UniqueFd netns, sys::RouteSocket route)
      : netns_(std::move(netns)), route_(std::move(route)) {}

  UniqueFd netns_;
  sys::RouteSocket route_;
};

}  // namespace berth::network
