// The daemon's flags, as values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/http/address.h"
#include "base/log.h"
#include "base/result.h"
#include "engine/engine.h"

namespace berth::daemon {

struct Options {
  engine::Engine::Options engine;
  std::vector<http::Address> hosts;
  std::string pid_file;  // "" : none
  log::Level log_level = log::Level::kInfo;
  bool log_json = false;
  bool teardown = false;  // take this engine's network off the host, and end
};

/// What main() does with the command line.
struct Parsed {
  std::optional<Options>
      options;  // empty: `text` was all that was asked for, and the exit code is 0
  std::string text;
};

/// kInvalid is a sentence about the flag that is wrong.
Result<Parsed> parse_options(const std::vector<std::string>& arguments);

/// The berth-holder beside this program, or in ../libexec/berth of it. kNotFound names both places.
Result<std::string> find_holder();

}  // namespace berth::daemon
