// Paths inside the container's root, for the child. Each is resolved by the kernel with the
// container's root as "/", so that no symlink or ".." of an image leads out of it (openat2(2),
// RESOLVE_IN_ROOT), and no link of procfs is followed at all. All calls are async-signal-safe and
// return an O_PATH descriptor, or -1 with errno.
#pragma once

#include <cstdint>

namespace berth::container {

enum class PathKind : std::uint8_t { kDirectory, kFile };

/// `resolve`: more RESOLVE_* flags. `flags`: more O_* flags.
int open_in_root(int root, const char* path, int flags = 0, std::uint64_t resolve = 0);

/// The same; what is missing is made: directories 0755, and if `kind` is kFile an empty file at the
/// end. A dangling symlink on the way is an error (EEXIST), never followed to make its target.
int create_in_root(int root, const char* path, PathKind kind, std::uint64_t resolve = 0);

/// The directory that `path`'s last component is in, made if missing; `name` points to that
/// component inside `path`.
int create_parent_in_root(int root, const char* path, const char** name);

}  // namespace berth::container
