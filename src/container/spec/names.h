// Names: the specification's words for the enums of spec.h, as tables.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "container/spec/spec.h"

namespace berth::container {

template <typename Enum>
struct Named {
  std::string_view name;
  Enum value;
};

inline constexpr std::array<Named<NamespaceType>, 8> kNamespaceNames = {{
    {"mount", NamespaceType::kMount},
    {"pid", NamespaceType::kPid},
    {"network", NamespaceType::kNetwork},
    {"uts", NamespaceType::kUts},
    {"ipc", NamespaceType::kIpc},
    {"user", NamespaceType::kUser},
    {"cgroup", NamespaceType::kCgroup},
    {"time", NamespaceType::kTime},
}};

/// Where two names share a value, the first is the one that is written.
inline constexpr std::array<Named<SeccompAction>, 9> kSeccompActionNames = {{
    {"SCMP_ACT_KILL", SeccompAction::kKillThread},
    {"SCMP_ACT_KILL_THREAD", SeccompAction::kKillThread},
    {"SCMP_ACT_KILL_PROCESS", SeccompAction::kKillProcess},
    {"SCMP_ACT_TRAP", SeccompAction::kTrap},
    {"SCMP_ACT_ERRNO", SeccompAction::kErrno},
    {"SCMP_ACT_TRACE", SeccompAction::kTrace},
    {"SCMP_ACT_ALLOW", SeccompAction::kAllow},
    {"SCMP_ACT_LOG", SeccompAction::kLog},
    {"SCMP_ACT_NOTIFY", SeccompAction::kNotify},
}};

inline constexpr std::array<Named<SeccompOperator>, 7> kSeccompOperatorNames = {{
    {"SCMP_CMP_NE", SeccompOperator::kNe},
    {"SCMP_CMP_LT", SeccompOperator::kLt},
    {"SCMP_CMP_LE", SeccompOperator::kLe},
    {"SCMP_CMP_EQ", SeccompOperator::kEq},
    {"SCMP_CMP_GE", SeccompOperator::kGe},
    {"SCMP_CMP_GT", SeccompOperator::kGt},
    {"SCMP_CMP_MASKED_EQ", SeccompOperator::kMaskedEq},
}};

// The table that belongs to an enum, found by argument-dependent lookup.
constexpr std::span<const Named<NamespaceType>> names_of(NamespaceType) {
  return kNamespaceNames;
}
constexpr std::span<const Named<SeccompAction>> names_of(SeccompAction) {
  return kSeccompActionNames;
}
constexpr std::span<const Named<SeccompOperator>> names_of(SeccompOperator) {
  return kSeccompOperatorNames;
}

template <typename Enum>
constexpr std::string_view name_of(Enum value) {
  for (const auto& row : names_of(Enum{}))
    if (row.value == value) return row.name;
  return {};
}

template <typename Enum>
constexpr std::optional<Enum> value_of(std::string_view name) {
  for (const auto& row : names_of(Enum{}))
    if (row.name == name) return row.value;
  return std::nullopt;
}

}  // namespace berth::container
