// The flags that stand before the command: "berth -H unix:///run/x.sock ps".
#pragma once

#include <array>

#include "berth/command/flags.h"

namespace berth::cli {

struct GlobalOptions {
  std::string host;
  bool version = false;
};

inline constexpr std::array kGlobalFlags = {
    FlagSpec{"host", 'H', into<&GlobalOptions::host>(),
             "Engine socket to connect to: unix:///path or tcp://host:port"},
    FlagSpec{"version", 'v', into<&GlobalOptions::version>(), "Print version information and quit"},
};

}  // namespace berth::cli
