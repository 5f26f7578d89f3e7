// A storage plugin for tests (tests/util/graph_plugin.py), in a process of its own.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace berth::image {

class PluginProcess {
 public:
  /// Starts it, and returns when it listens at `socket`. `faults`: "METHOD=KIND". kUnsupported:
  /// there is no python3.
  static Result<std::unique_ptr<PluginProcess>> start(const std::string& socket,
                                                      const std::vector<std::string>& faults = {});
  ~PluginProcess();
  PluginProcess(const PluginProcess&) = delete;
  PluginProcess& operator=(const PluginProcess&) = delete;

 private:
  explicit PluginProcess(pid_t pid) : pid_(pid) {}
  pid_t pid_;
};

}  // namespace berth::image
