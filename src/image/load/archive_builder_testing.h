// Image archives for tests, as the programs in use write them.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace berth::image {

struct TestImage {
  std::vector<std::string> layers;  // plain tars
  std::vector<std::string> names;   // "busybox:latest"
  std::string architecture = "amd64";
  std::string command = "sh";

  std::vector<std::string> diff_ids() const;
  std::string config() const;
  std::string id() const;
};

using Compress = std::function<std::string(std::string_view)>;

/// `docker save` before version 25: ID.json, LAYER/layer.tar; a layer that occurred before is a
/// symbolic link to it.
std::string legacy_docker_archive(const std::vector<TestImage>& images);
/// `docker save` since version 25: blobs/sha256 with manifest.json and index.json.
std::string docker_archive(const std::vector<TestImage>& images);
/// An OCI layout; `nested` puts the manifests into an index of their own, one per platform, as
/// buildx does.
std::string oci_layout(const std::vector<TestImage>& images, const Compress& compress = {},
                       bool nested = false);

/// A tar of these files.
std::string tar_of(const std::map<std::string, std::string>& files);

}  // namespace berth::image
