#include "image/load/oci_layout.h"

#include <map>
#include <variant>

#include "base/json.h"
#include "image/manifest/manifest.h"

namespace berth::image {
namespace {

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

class LayoutReader {
 public:
  explicit LayoutReader(const StagedArchive& archive) : archive_(archive) {}

  Result<std::vector<ArchivedImage>> run() {
    const auto document = TRY(parse_manifest(TRY(archive_.text("index.json", kMaxJsonBytes))));
    const Index* root = std::get_if<Index>(&document);
    if (root == nullptr) return fail(ErrorKind::kInvalid, "it is no index");
    std::string others;
    std::vector<ArchivedImage> images;
    for (const Descriptor& entry : root->manifests) {
      if (entry.is_attestation()) continue;
      if (!entry.platform.empty() && !entry.platform.serves(wanted_)) {
        others += " " + entry.platform.str();
        continue;
      }
      ArchivedImage image = TRY(read_target(entry, 0));
      image.names = TRY(names_of(entry.annotations));
      images.push_back(std::move(image));
    }
    if (images.empty() && !others.empty())
      return fail(ErrorKind::kUnsupported, "there is no image for {}, only for{}", wanted_.str(),
                  others);
    return images;
  }

 private:
  /// The path of a blob whose size, and on staging whose digest, is what the descriptor says.
  Result<std::string> blob(const Descriptor& descriptor) const {
    const Digest digest = TRY(Digest::parse(descriptor.digest));
    std::string path = fmt::format("blobs/{}/{}", digest.algorithm(), digest.hex());
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
    const auto document = TRY(parse_manifest(text).context(entry.digest));
    if (const Index* index = std::get_if<Index>(&document))
      return read_target(TRY(choose(*index, wanted_).context(entry.digest)), depth + 1);
    return read_image(std::get<Manifest>(document), std::move(text)).context(entry.digest);
  }

  Result<ArchivedImage> read_image(const Manifest& manifest, std::string text) {
    ArchivedImage image;
    image.config = TRY(archive_.text(TRY(blob(manifest.config)), kMaxJsonBytes));
    for (const Descriptor& layer : manifest.layers) image.layers.push_back(TRY(blob(layer)));
    image.manifest = std::move(text);
    return image;
  }

  const StagedArchive& archive_;
  const Platform wanted_ = Platform::host();
};

}  // namespace

Result<std::vector<ArchivedImage>> read_oci_layout(const StagedArchive& archive) {
  return LayoutReader(archive).run().context("index.json");
}

}  // namespace berth::image
