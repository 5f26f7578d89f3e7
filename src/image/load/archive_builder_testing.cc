#include "image/load/archive_builder_testing.h"

#include "base/json.h"
#include "image/archive/tar_builder_testing.h"
#include "image/content/hasher.h"

namespace berth::image {
namespace {

using Files = std::map<std::string, std::string>;

/// Adds a blob and returns its descriptor.
Json add_blob(Files& files, const std::string& bytes, const std::string& media_type) {
  const Digest digest = sha256_of(bytes);
  files["blobs/sha256/" + std::string(digest.hex())] = bytes;
  return {{"mediaType", media_type}, {"digest", digest.str()}, {"size", bytes.size()}};
}

std::string path_of(const Json& descriptor) {
  return "blobs/sha256/" + descriptor["digest"].get<std::string>().substr(7);
}

Json add_manifest(Files& files, const TestImage& image, const Compress& compress) {
  Json layers = Json::array();
  for (const std::string& layer : image.layers) {
    layers.push_back(add_blob(files, compress ? compress(layer) : layer,
                              "application/vnd.oci.image.layer.v1.tar"));
  }
  const Json manifest{
      {"schemaVersion", 2},
      {"config", add_blob(files, image.config(), "application/vnd.oci.image.config.v1+json")},
      {"layers", layers}};
  return add_blob(files, manifest.dump(), "application/vnd.oci.image.manifest.v1+json");
}

}  // namespace

std::vector<std::string> TestImage::diff_ids() const {
  std::vector<std::string> ids;
  for (const std::string& layer : layers) ids.push_back(sha256_of(layer).str());
  return ids;
}

std::string TestImage::config() const {
  return Json{{"architecture", architecture},
              {"os", "linux"},
              {"created", "2024-05-06T07:08:09Z"},
              {"config", {{"Cmd", {command}}, {"Env", {"PATH=/bin"}}}},
              {"rootfs", {{"type", "layers"}, {"diff_ids", diff_ids()}}}}
      .dump();
}

std::string TestImage::id() const {
  return sha256_of(config()).str();
}

std::string tar_of(const Files& files) {
  TarBuilder tar;
  for (const auto& [path, content] : files) tar.file(path, content);
  return tar.finish();
}

std::string legacy_docker_archive(const std::vector<TestImage>& images) {
  TarBuilder tar;
  Json manifest = Json::array();
  std::map<std::string, std::string> first;  // path of each layer's first copy
  int number = 0;
  for (const TestImage& image : images) {
    Json paths = Json::array();
    for (const std::string& layer : image.layers) {
      const std::string dir = fmt::format("layer{}", number++);
      const auto [known, is_new] = first.try_emplace(layer, dir);
      tar.directory(dir);
      if (is_new) {
        tar.file(dir + "/layer.tar", layer);
      } else {
        tar.symlink(dir + "/layer.tar", "../" + known->second + "/layer.tar");
      }
      paths.push_back(dir + "/layer.tar");
    }
    const std::string config = image.id().substr(7) + ".json";
    tar.file(config, image.config());
    manifest.push_back({{"Config", config}, {"RepoTags", image.names}, {"Layers", paths}});
  }
  tar.file("manifest.json", manifest.dump());
  return tar.finish();
}

std::string docker_archive(const std::vector<TestImage>& images) {
  Files files;
  Json manifest = Json::array();
  Json index = Json::array();
  for (const TestImage& image : images) {
    index.push_back(add_manifest(files, image, {}));
    Json paths = Json::array();
    for (const std::string& layer : image.layers)
      paths.push_back(path_of(add_blob(files, layer, "")));
    manifest.push_back({{"Config", path_of(add_blob(files, image.config(), ""))},
                        {"RepoTags", image.names},
                        {"Layers", paths}});
  }
  files["manifest.json"] = manifest.dump();
  files["index.json"] = Json{{"schemaVersion", 2}, {"manifests", index}}.dump();
  files["oci-layout"] = R"({"imageLayoutVersion":"1.0.0"})";
  return tar_of(files);
}

std::string oci_layout(const std::vector<TestImage>& images, const Compress& compress,
                       bool nested) {
  Files files;
  Json manifests = Json::array();
  for (const TestImage& image : images) {
    Json descriptor = add_manifest(files, image, compress);
    if (nested) {
      descriptor["platform"] = {{"os", "linux"}, {"architecture", image.architecture}};
    } else if (!image.names.empty()) {
      descriptor["annotations"] = {{"io.containerd.image.name", image.names.front()},
                                   {"org.opencontainers.image.ref.name", "latest"}};
    }
    manifests.push_back(descriptor);
  }
  if (nested) {
    // What buildx adds beside an image: says how it was made, and runs on nothing.
    const Json attestation{
        {"mediaType", "application/vnd.oci.image.manifest.v1+json"},
        {"digest", sha256_of("attestation").str()},
        {"size", 11},
        {"platform", {{"os", "unknown"}, {"architecture", "unknown"}}},
        {"annotations", {{"vnd.docker.reference.type", "attestation-manifest"}}}};
    manifests.insert(manifests.begin(), attestation);
    Json index = add_blob(files, Json{{"schemaVersion", 2}, {"manifests", manifests}}.dump(),
                          "application/vnd.oci.image.index.v1+json");
    index["annotations"] = {{"org.opencontainers.image.ref.name", images.front().names.front()}};
    manifests = Json::array({index});
  }
  files["index.json"] = Json{{"schemaVersion", 2}, {"manifests", manifests}}.dump();
  files["oci-layout"] = R"({"imageLayoutVersion":"1.0.0"})";
  return tar_of(files);
}

}  // namespace berth::image
