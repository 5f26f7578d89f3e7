#include "image/load/oci_layout.h"

#include <map>

#include "base/json.h"
#include "image/store/image_config.h"

namespace berth::image {
namespace {

/// An index may list indexes; two levels occur, more do not.
constexpr int kMaxIndexDepth = 4;

struct Descriptor {
  std::string media_type;
  std::string digest;
  std::int64_t size = 0;
  std::string platform;  // "linux/amd64"; empty: not said
  bool attestation = false;
  std::vector<Reference> names;
};

/// The names that containerd and others leave beside a top-level manifest. A ref.name that is a
/// mere tag ("latest") names nothing.
Result<std::vector<Reference>> names_of(const std::map<std::string, std::string>& annotations) {
  for (const char* key : {"io.containerd.image.name", "org.opencontainers.image.ref.name"}) {
    const auto found = annotations.find(key);
    if (found == annotations.end()) continue;
    const std::string& name = found->second;
    if (name.find_first_of("/:") == std::string::npos) continue;
    const Reference reference = TRY(Reference::parse(name).context(name));
    return std::vector{reference.without_digest().with_default_tag()};
  }
  return std::vector<Reference>{};
}

Result<Descriptor> parse_descriptor(const Json& json) {
  if (!json.is_object()) return fail(ErrorKind::kInvalid, "a descriptor is not an object");
  Descriptor descriptor;
  descriptor.media_type = TRY(get_string(json, "mediaType"));
  descriptor.digest = TRY(Digest::parse(TRY(get_string(json, "digest")))).str();
  descriptor.size = TRY(get_int(json, "size", -1));
  const auto annotations = TRY(get_string_map(json, "annotations"));
  descriptor.attestation = annotations.contains("vnd.docker.reference.type");
  descriptor.names = TRY(names_of(annotations));
  if (const Json* platform = find_member(json, "platform"); platform != nullptr) {
    descriptor.platform =
        TRY(get_string(*platform, "os")) + "/" + TRY(get_string(*platform, "architecture"));
  }
  return descriptor;
}

Result<std::vector<Descriptor>> parse_descriptors(const Json& root, std::string_view key) {
  std::vector<Descriptor> all;
  const Json* list = find_member(root, key);
  if (list == nullptr) return all;
  if (!list->is_array()) return fail(ErrorKind::kInvalid, "{} is not a list", key);
  if (list->size() > kMaxArchivedImages) {
    return fail(ErrorKind::kExhausted, "{} has more than {} entries", key, kMaxArchivedImages);
  }
  for (const Json& item : *list) all.push_back(TRY(parse_descriptor(item)));
  return all;
}

bool is_layer_type(std::string_view media_type) {
  return media_type.empty() || (media_type.find(".tar") != std::string_view::npos &&
                                media_type.find("+encrypted") == std::string_view::npos);
}

class LayoutReader {
 public:
  explicit LayoutReader(const StagedArchive& archive)
      : archive_(archive), wanted_("linux/" + std::string(host_architecture())) {}

  Result<std::vector<ArchivedImage>> run() {
    const Json root = TRY(parse_json(TRY(archive_.text("index.json", kMaxJsonBytes))));
    const auto entries = TRY(parse_descriptors(root, "manifests"));
    std::string others;
    std::vector<ArchivedImage> images;
    for (const Descriptor& entry : entries) {
      if (!fits(entry)) {
        others += " " + entry.platform;
        continue;
      }
      ArchivedImage image = TRY(read_target(entry, 0));
      image.names = entry.names;
      images.push_back(std::move(image));
    }
    if (images.empty() && !others.empty()) return not_for_this_machine(others);
    return images;
  }

 private:
  bool fits(const Descriptor& entry) const {
    return !entry.attestation && (entry.platform.empty() || entry.platform == wanted_);
  }

  Error not_for_this_machine(const std::string& others) const {
    return fail(ErrorKind::kUnsupported, "there is no image for {}, only for{}", wanted_, others);
  }

  /// The path of a blob whose size, and on staging whose digest, is what the descriptor says.
  Result<std::string> blob(const Descriptor& descriptor) const {
    const Digest digest = TRY(Digest::parse(descriptor.digest));
    if (digest.algorithm() != "sha256") {
      return fail(ErrorKind::kUnsupported, "blob {} is not named by sha256", descriptor.digest);
    }
    std::string path = fmt::format("blobs/sha256/{}", digest.hex());
    const std::uint64_t size = TRY(archive_.size(path));
    if (descriptor.size < 0 || size != static_cast<std::uint64_t>(descriptor.size)) {
      return fail(ErrorKind::kCorrupt, "blob {} has {} bytes, not {}", descriptor.digest, size,
                  descriptor.size);
    }
    return path;
  }

  Result<ArchivedImage> read_target(const Descriptor& entry, int depth) {
    if (depth >= kMaxIndexDepth)
      return fail(ErrorKind::kInvalid, "indexes lead to indexes too often");
    std::string text = TRY(archive_.text(TRY(blob(entry)), kMaxJsonBytes));
    const Json root = TRY(parse_json(text).context(entry.digest));
    // The document tells what it is; the media type of a descriptor is often missing.
    if (find_member(root, "manifests") != nullptr) return pick(root, entry, depth);
    return read_manifest(root, std::move(text)).context(entry.digest);
  }

  /// The one image of an index that is for this machine.
  Result<ArchivedImage> pick(const Json& root, const Descriptor& index, int depth) {
    std::string others;
    for (const Descriptor& entry :
         TRY(parse_descriptors(root, "manifests").context(index.digest))) {
      if (fits(entry)) return read_target(entry, depth + 1);
      if (!entry.attestation) others += " " + entry.platform;
    }
    return not_for_this_machine(others.empty() ? " nothing" : others);
  }

  Result<ArchivedImage> read_manifest(const Json& root, std::string text) {
    ArchivedImage image;
    const Json* config = find_member(root, "config");
    if (config == nullptr)
      return fail(ErrorKind::kInvalid, "it is neither an index nor the manifest of an image");
    image.config = TRY(archive_.text(TRY(blob(TRY(parse_descriptor(*config)))), kMaxJsonBytes));
    for (const Descriptor& layer : TRY(parse_descriptors(root, "layers"))) {
      if (!is_layer_type(layer.media_type)) {
        return fail(ErrorKind::kUnsupported, "layers of type '{}' are not understood",
                    layer.media_type);
      }
      image.layers.push_back(TRY(blob(layer)));
    }
    image.manifest = std::move(text);
    return image;
  }

  const StagedArchive& archive_;
  std::string wanted_;
};

}  // namespace

Result<std::vector<ArchivedImage>> read_oci_layout(const StagedArchive& archive) {
  return LayoutReader(archive).run().context("index.json");
}

}  // namespace berth::image
