// The names in an archive, which someone else wrote: cleaned, or refused, before any of them
// reaches the kernel. Source: image-spec layer.md "Changeset over existing files", "Whiteouts".
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace berth::image {

/// PATH_MAX without its NUL: no system call takes more.
inline constexpr std::size_t kMaxEntryPath = 4095;

/// `raw` relative to the root of the tree: no leading slash, no ".", "..", or empty component; ""
/// is the root itself. kInvalid if it would lead out of the root, or is too long.
Result<std::string> clean_entry_path(std::string_view raw);

/// A name as an error message may show it: unprintable bytes as "?", cut to a bearable length, in
/// quotes.
std::string quote_name(std::string_view raw);

/// "a/b/c" is {"a/b", "c"}; "c" is {"", "c"}.
struct SplitPath {
  std::string_view parent;
  std::string_view name;
};
SplitPath split_path(std::string_view clean);

/// What the last component of a path stands for.
struct Whiteout {
  enum class Kind {
    kNone,      // an entry like any other
    kRemove,    // ".wh.NAME": NAME is gone from here on
    kOpaque,    // ".wh..wh..opq": everything the layers below had in this directory is gone
    kInternal,  // other ".wh..wh.*": aufs's own files, which no tree shows
  };
  Kind kind = Kind::kNone;
  std::string_view name;  // of kRemove
};
/// kInvalid for a whiteout of nothing, "." or "..".
Result<Whiteout> parse_whiteout(std::string_view name);

}  // namespace berth::image
