// The documents that lead from a name to an image's parts: an index (Docker: manifest list) lists
// manifests by platform; a manifest lists a config and layers. Both are outside bytes. Sources:
// image-spec 1.1 descriptor.md, image-index.md, manifest.md; Docker's "Image Manifest Version 2,
// Schema 2".
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace berth::image {

/// An index that lists more is an attack.
inline constexpr std::size_t kMaxManifests = 1000;
/// Places where a layer that its owner gives away can be had.
inline constexpr std::size_t kMaxUrls = 16;
/// An index may list indexes; two levels occur, more do not.
inline constexpr int kMaxIndexDepth = 4;

/// "linux/arm64/v8"; parts that are not known are empty.
struct Platform {
  std::string os;
  std::string architecture;
  std::string variant;

  /// kInvalid: not "os", "os/architecture" or "os/architecture/variant".
  static Result<Platform> parse(std::string_view text);
  /// What images for this machine are for.
  static Platform host();

  std::string str() const;
  bool empty() const { return os.empty() && architecture.empty(); }
  /// Whether an image for this platform is what somebody who asks for `wanted` gets. What `wanted`
  /// leaves open may be anything.
  bool serves(const Platform& wanted) const;
  friend bool operator==(const Platform&, const Platform&) = default;
};

struct Descriptor {
  std::string media_type;  // empty: not said
  std::string digest;      // as Digest::parse() takes it
  std::int64_t size = -1;  // bytes; -1: not said
  Platform platform;
  std::map<std::string, std::string> annotations;
  std::vector<std::string> urls = {};  // of http and https

  /// What build tools put beside an image: no image.
  bool is_attestation() const { return annotations.contains("vnd.docker.reference.type"); }
  /// A layer that only its owner gives away, at `urls`.
  bool is_foreign() const;
};

struct Manifest {
  Descriptor config;
  std::vector<Descriptor> layers;  // base first
};

struct Index {
  std::vector<Descriptor> manifests;
};

/// kInvalid names what is wrong. kUnsupported: Docker's schema 1, which is signed and no longer
/// made; an artifact, which is no image; layers of a kind that is none.
Result<std::variant<Index, Manifest>> parse_manifest(std::string_view text);

/// The OCI manifest of an image that came without one. Descriptors with all they have but platform
/// and annotations.
std::string make_manifest(const Manifest& manifest);

/// How a registry is told what `text`, a manifest or index, is: its own media type, or the one of
/// its kind.
Result<std::string> media_type_of(std::string_view text);

/// The entry for `wanted`. kUnsupported names the platforms that there are.
Result<Descriptor> choose(const Index& index, const Platform& wanted);

/// What a client accepts for a manifest, as HTTP's Accept has it.
std::string_view manifest_types();

}  // namespace berth::image
