#include "image/manifest/manifest.h"

#include <algorithm>

#include "base/json.h"
#include "image/reference/digest.h"
#include "image/store/image_config.h"

namespace berth::image {
namespace {

constexpr std::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";
constexpr std::string_view kEmptyConfig = "application/vnd.oci.empty.v1+json";
constexpr auto kImageConfigs = std::to_array<std::string_view>(
    {"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"});
constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";

Result<Descriptor> parse_descriptor(const Json& json) {
  if (!json.is_object()) return fail(ErrorKind::kInvalid, "a descriptor is not an object");
  Descriptor descriptor;
  descriptor.media_type = TRY(get_string(json, "mediaType"));
  descriptor.digest = TRY(Digest::parse(TRY(get_string(json, "digest")))).str();
  descriptor.size = TRY(get_int(json, "size", -1));
  descriptor.annotations = TRY(get_string_map(json, "annotations"));
  for (std::string& url : TRY(get_strings(json, "urls"))) {
    if (!url.starts_with("http://") && !url.starts_with("https://")) continue;
    if (descriptor.urls.size() == kMaxUrls)
      return fail(ErrorKind::kExhausted, "a descriptor has more than {} urls", kMaxUrls);
    descriptor.urls.push_back(std::move(url));
  }
  if (const Json* platform = find_member(json, "platform"); platform != nullptr) {
    descriptor.platform = {TRY(get_string(*platform, "os")),
                           TRY(get_string(*platform, "architecture")),
                           TRY(get_string(*platform, "variant"))};
  }
  return descriptor;
}

Result<std::vector<Descriptor>> parse_list(const Json& root, std::string_view key,
                                           std::size_t most) {
  std::vector<Descriptor> all;
  const Json* list = find_member(root, key);
  if (list == nullptr) return all;
  if (!list->is_array()) return fail(ErrorKind::kInvalid, "{} is not a list", key);
  if (list->size() > most)
    return fail(ErrorKind::kExhausted, "{} has more than {} entries", key, most);
  for (const Json& item : *list) all.push_back(TRY(parse_descriptor(item)));
  return all;
}

// Of a descriptor without a media type, what it is shows when it is unpacked.
bool is_layer_type(std::string_view media_type) {
  return media_type.empty() || (media_type.find(".tar") != std::string_view::npos &&
                                media_type.find("+encrypted") == std::string_view::npos);
}

Result<Manifest> parse_image(const Json& root) {
  const Json* config = find_member(root, "config");
  if (config == nullptr)
    return fail(ErrorKind::kInvalid, "it is neither an index nor the manifest of an image");
  Manifest manifest;
  manifest.config = TRY(parse_descriptor(*config));
  const std::string artifact = TRY(get_string(root, "artifactType"));
  // An image may say what it is good for, too.
  const bool is_image =
      std::ranges::find(kImageConfigs, manifest.config.media_type) != kImageConfigs.end();
  if (manifest.config.media_type == kEmptyConfig || (!artifact.empty() && !is_image))
    return fail(ErrorKind::kUnsupported, "it is an artifact of type '{}', not an image",
                artifact.empty() ? manifest.config.media_type : artifact);
  manifest.layers = TRY(parse_list(root, "layers", kMaxLayers));
  for (const Descriptor& layer : manifest.layers)
    if (!is_layer_type(layer.media_type))
      return fail(ErrorKind::kUnsupported, "layers of type '{}' are not understood",
                  layer.media_type);
  return manifest;
}

}  // namespace

bool Descriptor::is_foreign() const {
  return media_type.find(".foreign.") != std::string::npos ||
         media_type.find(".nondistributable.") != std::string::npos;
}

Result<Platform> Platform::parse(std::string_view text) {
  Platform platform;
  std::string* parts[] = {&platform.os, &platform.architecture, &platform.variant};
  std::size_t count = 0;
  for (std::string_view rest = text; count < std::size(parts); ++count) {
    const auto slash = rest.find('/');
    *parts[count] = rest.substr(0, slash);
    if (parts[count]->empty()) break;
    if (slash == std::string_view::npos) return platform;
    rest.remove_prefix(slash + 1);
  }
  return fail(ErrorKind::kInvalid, "'{}' is no platform: use linux/amd64 or linux/arm64/v8", text);
}

Platform Platform::host() {
  return {"linux", std::string(host_architecture()), ""};
}

std::string Platform::str() const {
  std::string text = os + "/" + architecture;
  if (!variant.empty()) text += "/" + variant;
  return text;
}

bool Platform::serves(const Platform& wanted) const {
  return os == wanted.os && (wanted.architecture.empty() || architecture == wanted.architecture) &&
         (wanted.variant.empty() || variant == wanted.variant);
}

Result<std::variant<Index, Manifest>> parse_manifest(std::string_view text) {
  const Json root = TRY(parse_json(text));
  if (TRY(get_int(root, "schemaVersion", 2)) == 1)
    return fail(ErrorKind::kUnsupported,
                "its manifest is of Docker's schema 1, which is no longer supported: push the "
                "image anew with a current client");
  // The document tells what it is; its media type is often missing.
  if (find_member(root, "manifests") != nullptr)
    return std::variant<Index, Manifest>(Index{TRY(parse_list(root, "manifests", kMaxManifests))});
  return std::variant<Index, Manifest>(TRY(parse_image(root)));
}

std::string make_manifest(const Manifest& manifest) {
  const auto describe = [](const Descriptor& descriptor) {
    Json json = {{"mediaType", descriptor.media_type},
                 {"digest", descriptor.digest},
                 {"size", descriptor.size}};
    if (!descriptor.urls.empty()) json["urls"] = descriptor.urls;
    return json;
  };
  Json layers = Json::array();
  for (const Descriptor& layer : manifest.layers) layers.push_back(describe(layer));
  return dump_json(Json{{"schemaVersion", 2},
                        {"mediaType", kOciManifest},
                        {"config", describe(manifest.config)},
                        {"layers", std::move(layers)}});
}

Result<std::string> media_type_of(std::string_view text) {
  const Json root = TRY(parse_json(text));
  std::string own = TRY(get_string(root, "mediaType"));
  if (!own.empty()) return own;
  return std::string(find_member(root, "manifests") != nullptr ? kOciIndex : kOciManifest);
}

Result<Descriptor> choose(const Index& index, const Platform& wanted) {
  std::string others;
  for (const Descriptor& entry : index.manifests) {
    if (entry.is_attestation()) continue;
    if (entry.platform.empty() || entry.platform.serves(wanted)) return entry;
    others += " " + entry.platform.str();
  }
  return fail(ErrorKind::kUnsupported, "there is no image for {}, only for{}", wanted.str(),
              others.empty() ? " nothing" : others);
}

std::string_view manifest_types() {
  return "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
         "application/vnd.docker.distribution.manifest.list.v2+json, "
         "application/vnd.docker.distribution.manifest.v2+json";
}

}  // namespace berth::image
