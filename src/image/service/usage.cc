// What the images take on disk: layers, unpacked, and the blobs that they came in, each counted
// once.
#include <map>
#include <set>

#include "image/service/image_service_impl.h"

namespace berth::image {
namespace {

/// The layers from the uppermost to the base.
std::vector<std::string> chain_from(const std::string& top,
                                    const std::map<std::string, std::string>& parents) {
  std::vector<std::string> chain;
  for (auto at = parents.find(top); at != parents.end(); at = parents.find(at->second))
    chain.push_back(at->first);
  return chain;
}

}  // namespace

Result<StoreUsage> ImageServiceImpl::usage() const {
  // A base layer's chain id can be the digest of a blob as well.
  std::map<std::pair<bool, std::string>, std::int64_t> sizes;
  StoreUsage usage;
  for (const auto& [chain_id, bytes] : TRY(images_.layer_sizes()))
    sizes.emplace(std::pair(true, chain_id), bytes);
  for (const BlobInfo& blob : TRY(content_.list()))
    sizes.emplace(std::pair(false, blob.digest.str()), static_cast<std::int64_t>(blob.size));
  for (const auto& [part, bytes] : sizes) usage.total += bytes;

  std::map<std::string, std::string> parents;
  for (const SnapshotInfo& info : TRY(snapshots_->list())) parents.emplace(info.key, info.parent);
  std::map<std::string, std::set<std::pair<bool, std::string>>> parts;  // by image
  std::map<std::pair<bool, std::string>, int> uses;
  for (const ImageRecord& record : TRY(images_.list())) {
    auto& mine = parts[record.id];
    for (const std::string& layer : chain_from(record.top, parents)) mine.emplace(true, layer);
    for (const std::string& blob : record.blobs) mine.emplace(false, blob);
    mine.emplace(false, record.id);
    mine.emplace(false, record.manifest);
    for (const auto& part : mine) ++uses[part];
  }
  for (const auto& [id, mine] : parts) {
    StoreUsage::OfImage& image = usage.images[id];
    for (const auto& part : mine) {
      const auto size = sizes.find(part);
      if (size == sizes.end()) continue;
      image.size += size->second;
      if (uses[part] > 1) image.shared += size->second;
    }
  }
  return usage;
}

}  // namespace berth::image
