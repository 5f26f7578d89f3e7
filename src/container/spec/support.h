// Support: what this runtime can do of the specification, for `berth-runtime features` and for the
// code that refuses the rest. Most of it is what the schema says (spec_fields.h). The switch below
// is for what no member of config.json stands for by itself.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "container/spec/spec_fields.h"

namespace berth::container {

/// Whether containers can be written to disk and taken up again, if the host has criu(8).
inline constexpr bool kCheckpoint = true;

/// A visitor of the schema that notes the members it takes.
class FieldNames {
 public:
  template <typename T>
  void field(const char* name, T&) {
    names_.emplace_back(name);
  }
  template <typename T>
  void required(const char* name, T&) {
    names_.emplace_back(name);
  }
  std::vector<std::string_view> take() { return std::move(names_); }

 private:
  std::vector<std::string_view> names_;
};

/// The members of T that are read and obeyed, in the schema's order.
template <typename T>
std::vector<std::string_view> fields_of() {
  T value;
  FieldNames names;
  visit_fields(names, value);
  return names.take();
}

template <typename T>
bool takes(std::string_view member) {
  const auto names = fields_of<T>();
  return std::ranges::find(names, member) != names.end();
}

}  // namespace berth::container
