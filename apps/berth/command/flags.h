// Flags of a verb as a constexpr table, and the parser that fills the verb's options struct from
// them.
//
// The grammar is the one docker's users type: "--name value", "--name=value", "-n value",
// "-nvalue", "-n=value", bundles of one-letter switches ("-it"), "--" as the end of flags. Where
// `interspersed` is off, the first word that is no flag ends the flags: what follows belongs to the
// workload. A row knows the field it fills, so that a table and its struct cannot disagree about a
// type.
//
// A table of its own and not CLI11: that library is built on iostreams, which alone doubles the
// program's start-up time, and it has neither these texts nor `-v -x` taking "-x" as a value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace berth::cli {

using Arguments = std::vector<std::string>;

/// A number of bytes as people write it: "64m", "1.5g", "1048576". -1 is taken where a flag means
/// "no limit" by it.
struct Bytes {
  std::int64_t value = 0;
};

/// A number of CPUs in billionths: "1.5" is 1500000000.
struct NanoCpus {
  std::int64_t value = 0;
};

/// A length of time in nanoseconds: "1m30s".
struct Nanoseconds {
  std::int64_t value = 0;
};

enum class FlagKind : std::uint8_t {
  kBool,
  kOptionalBool,
  kInt,
  kOptionalInt,
  kBytes,
  kNanoCpus,
  kNanoseconds,
  kString,
  kOptionalString,
  kList,
};

/// Where a flag's value goes: the kind of the field, and how to find it in the options struct.
struct FlagTarget {
  FlagKind kind;
  void* (*field)(void* options);
};

struct FlagSpec {
  std::string_view name;
  char shorthand = 0;
  FlagTarget target;
  std::string_view help;             // empty: not listed (another spelling of a listed flag)
  std::string_view value_name = {};  // help's word for the value; empty: from the kind
  std::string_view shown_default = {};
};

namespace detail {

template <typename T>
inline constexpr FlagKind kKindOf = [] {
  static_assert(sizeof(T) == 0, "no flag fills a field of this type");
  return FlagKind::kBool;
}();
template <>
inline constexpr FlagKind kKindOf<bool> = FlagKind::kBool;
template <>
inline constexpr FlagKind kKindOf<std::optional<bool>> = FlagKind::kOptionalBool;
template <>
inline constexpr FlagKind kKindOf<std::int64_t> = FlagKind::kInt;
template <>
inline constexpr FlagKind kKindOf<std::optional<std::int64_t>> = FlagKind::kOptionalInt;
template <>
inline constexpr FlagKind kKindOf<Bytes> = FlagKind::kBytes;
template <>
inline constexpr FlagKind kKindOf<NanoCpus> = FlagKind::kNanoCpus;
template <>
inline constexpr FlagKind kKindOf<Nanoseconds> = FlagKind::kNanoseconds;
template <>
inline constexpr FlagKind kKindOf<std::string> = FlagKind::kString;
template <>
inline constexpr FlagKind kKindOf<std::optional<std::string>> = FlagKind::kOptionalString;
template <>
inline constexpr FlagKind kKindOf<std::vector<std::string>> = FlagKind::kList;

template <typename Options, typename Field>
Options owner_of(Field Options::*);
template <typename Options, typename Field>
Field type_of(Field Options::*);

}  // namespace detail

/// The target that is `Member` of the options struct: `into<&StopOptions::timeout>()`.
template <auto Member>
constexpr FlagTarget into() {
  using Options = decltype(detail::owner_of(Member));
  using Field = decltype(detail::type_of(Member));
  return {detail::kKindOf<Field>,
          [](void* options) -> void* { return &(static_cast<Options*>(options)->*Member); }};
}

/// Two tables as one: the flags of `create` are flags of `run` too.
template <std::size_t A, std::size_t B>
constexpr std::array<FlagSpec, A + B> join_tables(const std::array<FlagSpec, A>& a,
                                                  const std::array<FlagSpec, B>& b) {
  return [&]<std::size_t... I, std::size_t... J>(std::index_sequence<I...>,
                                                 std::index_sequence<J...>) {
    return std::array<FlagSpec, A + B>{a[I]..., b[J]...};
  }(std::make_index_sequence<A>(), std::make_index_sequence<B>());
}

struct ParsedArguments {
  Arguments operands;  // what is left when the flags are taken out
  bool help = false;   // --help was given; nothing else counts
};

/// Fills `options`, which must be the struct that the table's targets are members of. kInvalid is a
/// sentence in docker's words, ready for the user; `options` is then half filled and of no use.
Result<ParsedArguments> parse_flags(std::span<const FlagSpec> table,
                                    std::span<const std::string> arguments, bool interspersed,
                                    void* options);

/// The error of a value that was well formed as text, but means nothing to `flag`, e.g. `"x" for
/// "-m, --memory" flag`.
Error invalid_argument(const FlagSpec& flag, std::string_view value, std::string_view reason);
/// The same for a flag known by its long name alone.
Error invalid_argument(std::string_view flag, std::string_view value, std::string_view reason);

/// The word that help prints for a flag's value; empty for switches.
std::string_view value_name(const FlagSpec& flag);

}  // namespace berth::cli
