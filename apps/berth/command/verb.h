// Verb: one row per command: its words, its flags, how many operands it takes, and the function
// that does it. Each verb/ file exports one; verb_table.cc lists them with their spellings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "berth/command/flags.h"

namespace berth::cli {

class Session;
struct Verb;

/// How a verb was called: what its messages name.
struct Invocation {
  const Verb& verb;
  std::string spelling;  // "run", "container ls"
};

struct OperandCount {
  std::size_t min = 0;
  std::size_t max = std::numeric_limits<std::size_t>::max();
};

/// The exit code of a verb, or the error that main() shows. Exit code 125 means that berth itself
/// failed (docker run).
inline constexpr int kExitBerthFailed = 125;
inline constexpr int kExitFailure = 1;

struct Verb {
  std::string_view name;
  std::string_view usage;  // behind the name: "[OPTIONS] CONTAINER [CONTAINER...]"
  std::string_view summary;
  std::span<const FlagSpec> flags;
  OperandCount operands;
  /// Parses the arguments into the verb's own options and does it.
  Result<int> (*invoke)(Session& session, const Invocation& invocation,
                        std::span<const std::string> arguments);
  bool interspersed = true;  // flags may follow operands
};

/// Parses by the verb's table. Prints help or what is wrong, in which case there is an exit code
/// and nothing to do.
struct ParsedInvocation {
  Arguments operands;
  std::optional<int> exit_code;
};
ParsedInvocation parse_invocation(const Invocation& invocation,
                                  std::span<const std::string> arguments, void* options);

/// The `invoke` of a verb that is a function `Result<int> stop(Session&, const StopOptions&, const
/// Arguments&)`.
template <auto Function>
struct InvokeOf;
template <typename Options, Result<int> (*Function)(Session&, const Options&, const Arguments&)>
struct InvokeOf<Function> {
  static Result<int> invoke(Session& session, const Invocation& invocation,
                            std::span<const std::string> arguments) {
    Options options;
    const ParsedInvocation parsed = parse_invocation(invocation, arguments, &options);
    if (parsed.exit_code) return *parsed.exit_code;
    return Function(session, options, parsed.operands);
  }
};

/// The options of a verb that has no flags.
struct NoOptions {};

}  // namespace berth::cli
