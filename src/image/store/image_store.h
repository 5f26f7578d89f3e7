// ImageStore: the rows that say which images there are, what they are called, and how large each
// unpacked layer is. Names are whole references ("docker.io/library/busybox:latest"). Thread-safe;
// every change is durable on return.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "image/store/database.h"

namespace berth::image {

struct ImageRecord {
  std::string id;        // "sha256:...": digest of the config blob
  std::string manifest;  // digest of the manifest blob; empty: it came without one
  std::string
      top;  // chain id of the uppermost layer, which is its snapshot's key; empty: no layers
  std::int64_t size = 0;
  std::vector<std::string> names;  // in order
  std::vector<std::string> blobs =
      {};  // digests of its layers as the manifest has them, base first
};

class ImageStore {
 public:
  /// Borrows `database`.
  explicit ImageStore(Database& database) : database_(database) {}

  /// Nothing if there is no such image.
  Result<std::optional<ImageRecord>> get(std::string_view id) const;
  Result<std::vector<ImageRecord>> list() const;
  Result<std::size_t> count() const;
  /// The id that `name` stands for.
  Result<std::optional<std::string>> id_of(std::string_view name) const;
  /// Ids that start with `prefix` ("sha256:ab"), at most two: enough to see that it is ambiguous.
  Result<std::vector<std::string>> ids_starting_with(std::string_view prefix) const;

  /// Adds all of them and gives them their names, taken from other images if need be. An image that
  /// exists keeps the names it has; manifest and blobs become those that are given.
  Result<void> add(const std::vector<ImageRecord>& images);
  /// kNotFound if the image is not there.
  Result<void> set_name(std::string_view name, std::string_view id);
  Result<void> remove_names(const std::vector<std::string>& names);
  /// The image and all its names; false, and nothing is done, if it has other names by now than
  /// `seen` says.
  Result<bool> remove(const ImageRecord& seen);

  /// The image has no manifest any more: it can be used, and not pushed.
  Result<void> forget_manifest(std::string_view id);

  /// Size of a layer's files, kept beside its snapshot.
  Result<void> set_layer_size(std::string_view chain_id, std::int64_t size);
  /// The blob that was made of a layer that came without a manifest; empty: none was.
  Result<void> set_layer_blob(std::string_view chain_id, const std::string& digest);
  Result<std::string> layer_blob(std::string_view chain_id) const;
  Result<std::int64_t> layer_size(std::string_view chain_id) const;
  Result<std::map<std::string, std::int64_t>> layer_sizes() const;
  Result<void> forget_layer(std::string_view chain_id);

 private:
  Database& database_;
};

}  // namespace berth::image
