// Schemata: what a class of service may use, a line for each resource: "L3:0=7f0;1=1f" gives each
// cache a mask of bits, "MB:0=20;1=70" a share of bandwidth. Documentation/filesystems/resctrl.rst.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "container/spec/spec.h"

namespace berth::container {

/// What `rdt` says, in the order in which the specification wants it written.
std::vector<std::string> schemata_lines(const IntelRdt& rdt);

/// The line of `resource` ("L3") in the text of a schemata file, without the kernel's spaces;
/// empty: none.
std::string find_schema(std::string_view schemata, std::string_view resource);

/// Whether the file gives what `line` asks for. Domains that the line leaves out may be anything,
/// and leading zeros of a mask mean nothing.
bool agrees(std::string_view schemata, std::string_view line);

}  // namespace berth::container
