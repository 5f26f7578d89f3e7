// Anonymous memory as a descriptor: memfd_create(2).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace berth::sys {

/// A read-only copy of `bytes` that nobody can change any more (all seals), its offset at the
/// start.
Result<UniqueFd> sealed_memfd(const std::string& name, std::string_view bytes);
/// The whole content of a memfd, from its start, whatever its offset; kExhausted beyond
/// `max_bytes`.
Result<std::string> read_memfd(int fd, std::size_t max_bytes);

}  // namespace berth::sys
