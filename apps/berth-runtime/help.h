// Help: the flags of each verb in words. tools/check_packaging.py holds the table against what the
// verbs declare.
#pragma once

#include <string_view>

#include "berth-runtime/verbs.h"

namespace berth::runtime {

/// Whether --help or -h is among the verb's own flags.
bool asks_for_help(std::string_view verb, Words words);

/// A line for each flag of `verb`; "": those that stand before the verb.
void print_flags(std::string_view verb);

}  // namespace berth::runtime
