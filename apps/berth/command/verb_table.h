// The table of all commands and their spellings: "ps", "container ls", "container list", ...
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "berth/command/verb.h"

namespace berth::cli {

struct Spelling {
  std::string_view group;  // "container", or empty
  std::string_view name;   // "ls"
  const Verb* verb;
  bool listed = true;  // false for aliases: help shows the first spelling of a group alone
};

struct Group {
  std::string_view name;
  std::string_view summary;
};

std::span<const Spelling> spellings();
std::span<const Group> groups();

/// The row for "name", or for "group name"; null if there is none.
const Spelling* find_spelling(std::string_view group, std::string_view name);
const Group* find_group(std::string_view name);

/// Every way to say `verb`, "berth ps" and so on, in the table's order.
std::vector<std::string> all_spellings(const Verb& verb);

}  // namespace berth::cli
