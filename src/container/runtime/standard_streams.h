// Descriptors 0 to 2 of a program that makes containers. A caller may have closed them; what the
// program opens next would then take their numbers and reach the workload as its standard streams.
#pragma once

namespace berth::container {

/// Opens /dev/null for each of them that is closed. The first thing main() does.
void open_missing_standard_streams();

}  // namespace berth::container
