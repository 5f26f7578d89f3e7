// Session: what a verb works with: the engine, reached when first asked for, so that help and bad
// flags need none.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "berth/client/client.h"

namespace berth::cli {

class Session {
 public:
  /// `host` is the -H flag's value, or empty.
  explicit Session(std::string host) : host_(std::move(host)) {}

  /// The engine; the same object at each call. kInvalid or kUnsupported: the host that was asked
  /// for is none.
  Result<Client*> engine();

 private:
  std::string host_;
  std::optional<Client> client_;
};

/// One line on standard error, after what standard output still held back.
void print_error(const Error& error);

/// Runs `one` for every operand, whatever becomes of the others. Errors are shown as they come; the
/// exit code is 1 if there was one.
template <typename One>
int for_each_operand(const std::vector<std::string>& operands, One&& one) {
  int exit_code = 0;
  for (const std::string& operand : operands) {
    const Result<void> done = one(operand);
    if (done.ok()) continue;
    print_error(done.error());
    exit_code = 1;
  }
  return exit_code;
}

}  // namespace berth::cli
