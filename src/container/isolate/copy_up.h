// Copying a directory's content into a tmpfs that is to cover it: the mount option "tmpcopyup".
#pragma once

namespace berth::container {

/// Directories may be nested as deep as this: each takes two descriptors and some of the stack.
inline constexpr int kMaxCopyDepth = 100;

/// Copies what is in the directory `from` into the empty directory `to`, with owners, modes, times
/// and extended attributes; no link is followed. What other names a file has is not kept. Both are
/// open for reading. Async-signal-safe; false with errno, ELOOP: nested too deep.
bool copy_directory(int from, int to);

}  // namespace berth::container
