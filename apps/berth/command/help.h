// Help texts, laid out as docker's: of the program, of a group of commands, of one command.
#pragma once

#include <string>

#include "berth/command/verb_table.h"

namespace berth::cli {

std::string program_help();
std::string group_help(const Group& group);
std::string verb_help(const Invocation& invocation);
/// Where to read more: the line that follows an error about flags or operands.
std::string usage_hint(const Invocation& invocation);

}  // namespace berth::cli
