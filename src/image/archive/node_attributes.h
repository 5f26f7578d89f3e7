// What an entry of an archive says about a node beside its data: owner, mode, extended attributes,
// time.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "image/archive/tar_reader.h"

namespace berth::image {

/// Of one entry, names and values together. The kernel takes 64 KiB a value; a security.capability
/// has 24 bytes.
inline constexpr std::size_t kMaxXattrBytes = 1U << 20;

/// Whether an image may set this attribute. Not those by which an overlay is steered
/// ("trusted.overlay.redirect" would show other files), nor those of the host's own policy
/// ("security.selinux").
bool is_image_xattr(std::string_view name);

/// Sets them through a descriptor of the node itself. In the order that keeps them: chown(2) clears
/// setuid bits and capabilities.
Result<void> set_attributes(int fd, const TarEntry& entry);
/// Sets them on `name` in `dirfd`, which may be a symbolic link or a device and is neither followed
/// nor opened.
Result<void> set_attributes_at(int dirfd, const std::string& name, const TarEntry& entry);

/// Takes away every attribute an image may set: a directory that is listed again has those that are
/// listed and no others.
Result<void> remove_image_xattrs(int fd);

/// Gives `to` the owner, the mode and the attributes an image may set of `from`; both are
/// directories.
Result<void> copy_attributes(int from, int to);

}  // namespace berth::image
