// Reference: what a user calls an image, "[domain/]path[:tag][@digest]", normalised as Docker does:
// "busybox" is "docker.io/library/busybox". Grammar: the reference package of the distribution
// project; image-spec annotations.md.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/result.h"
#include "image/reference/digest.h"

namespace berth::image {

/// Longest "domain/path" that the distribution protocol allows.
inline constexpr std::size_t kMaxRepositoryName = 255;
inline constexpr std::size_t kMaxTag = 128;

class Reference {
 public:
  /// Parses and normalises. kInvalid with Docker's text ("invalid reference format", ...).
  static Result<Reference> parse(std::string_view text);

  const std::string& domain() const { return domain_; }  // "docker.io"
  const std::string& path() const { return path_; }      // "library/busybox"
  const std::string& tag() const { return tag_; }        // empty: none was given
  const std::string& digest() const { return digest_; }  // "sha256:...", or empty

  /// The same name with ":latest", if it has neither tag nor digest.
  Reference with_default_tag() const;
  Reference without_digest() const;
  /// Its repository, at `digest`, without a tag.
  Reference at(const Digest& digest) const;

  std::string repository() const;           // "docker.io/library/busybox"
  std::string familiar_repository() const;  // "busybox"
  std::string str() const;                  // all of it, normalised
  std::string familiar() const;             // all of it, as Docker prints it

  friend auto operator<=>(const Reference&, const Reference&) = default;

 private:
  Reference() = default;
  std::string suffix() const;

  std::string domain_;
  std::string path_;
  std::string tag_;
  std::string digest_;
};

}  // namespace berth::image
