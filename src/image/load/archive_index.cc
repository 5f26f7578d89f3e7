#include "image/load/archive_index.h"

#include "base/json.h"
#include "image/load/oci_layout.h"
#include "image/store/image_config.h"

namespace berth::image {
namespace {

constexpr std::string_view kDockerManifest = "manifest.json";
constexpr std::string_view kOciIndex = "index.json";

Result<ArchivedImage> read_docker_image(const StagedArchive& archive, const Json& entry) {
  if (!entry.is_object()) return fail(ErrorKind::kInvalid, "an entry is not an object");
  ArchivedImage image;
  const std::string config = TRY(get_string(entry, "Config"));
  if (config.empty()) return fail(ErrorKind::kInvalid, "an image has no Config");
  image.config = TRY(archive.text(config, kMaxJsonBytes));
  image.layers = TRY(get_strings(entry, "Layers"));
  for (const std::string& tag : TRY(get_strings(entry, "RepoTags"))) {
    const Reference name = TRY(Reference::parse(tag).context(tag));
    // What a digest stands for is not the archive's to say: whoever pins an image relies on it.
    if (!name.digest().empty()) {
      return fail(ErrorKind::kInvalid, "invalid tag \"{}\": an image cannot be named by a digest",
                  tag);
    }
    image.names.push_back(name.with_default_tag());
  }
  return image;
}

Result<std::vector<ArchivedImage>> read_docker_manifest(const StagedArchive& archive) {
  const Json root = TRY(parse_json(TRY(archive.text(kDockerManifest, kMaxJsonBytes))));
  if (!root.is_array()) return fail(ErrorKind::kInvalid, "it is not a list of images");
  if (root.size() > kMaxArchivedImages) {
    return fail(ErrorKind::kExhausted, "it has more than {} images", kMaxArchivedImages);
  }
  std::vector<ArchivedImage> images;
  for (const Json& entry : root) images.push_back(TRY(read_docker_image(archive, entry)));
  return images;
}

}  // namespace

Result<std::vector<ArchivedImage>> read_archive_index(const StagedArchive& archive) {
  auto images = [&]() -> Result<std::vector<ArchivedImage>> {
    if (archive.contains(kDockerManifest)) {
      return read_docker_manifest(archive).context(kDockerManifest);
    }
    if (archive.contains(kOciIndex)) return read_oci_layout(archive);
    return fail(ErrorKind::kInvalid,
                "it has neither manifest.json nor index.json, so it is no image archive "
                "(a tar of a root filesystem is taken by import)");
  }();
  if (images.ok() && images->empty()) return fail(ErrorKind::kInvalid, "it has no images");
  return images;
}

}  // namespace berth::image
