#include "image/service/store_check.h"

#include <algorithm>
#include <cerrno>

#include "base/json.h"
#include "base/log.h"
#include "image/store/image_config.h"
#include "sys/dir.h"

namespace berth::image {
namespace {

DamageKind kind_of(SnapshotFault::Kind kind) {
  switch (kind) {
    case SnapshotFault::Kind::kNoTree:
      return DamageKind::kMissingTree;
    case SnapshotFault::Kind::kNoParent:
      return DamageKind::kMissingParent;
    case SnapshotFault::Kind::kBadRow:
      return DamageKind::kBadRow;
    case SnapshotFault::Kind::kStray:
      return DamageKind::kStrayTree;
    case SnapshotFault::Kind::kHalfMade:
      break;
  }
  return DamageKind::kHalfMade;
}

/// That it cannot be read just now, for want of memory or descriptors, is none.
bool is_damage(const Error& error) {
  if (error.kind() == ErrorKind::kCorrupt || error.os_errno() == EIO) return true;
  return error.kind() == ErrorKind::kExhausted && error.os_errno() == 0;  // too large
}

std::string title_of(const ImageRecord& record) {
  return record.names.empty() ? record.id : record.names.front();
}

}  // namespace

Result<CheckReport> ImageServiceImpl::check(
    const CheckOptions& options, const std::function<bool(const std::string& id)>& in_use) {
  return StoreCheck(*this, options, in_use).run();
}

Result<CheckReport> StoreCheck::run() {
  const auto suspects = TRY(read_blobs());
  const std::lock_guard lock(service_.garbage_mutex_);
  CheckReport report;
  Found found = TRY(look(suspects));
  if (options_.repair && !found.damages.empty()) {
    TRY(repair(found));
    const Found left = TRY(look(suspects));
    for (Damage& damage : found.damages)
      damage.repaired = std::ranges::find(left.damages, damage) == left.damages.end();
    // A repair must not be the cause of damage; if it is, nobody may be told that all is well.
    for (const Damage& damage : left.damages)
      if (std::ranges::find(found.damages, damage) == found.damages.end())
        found.damages.push_back(damage);
  }
  report.damages = std::move(found.damages);
  report.images = TRY(service_.images_.count());
  report.snapshots = TRY(service_.snapshots_->list()).size();
  report.blobs = TRY(service_.content_.list()).size();
  return report;
}

Result<std::set<std::string>> StoreCheck::read_blobs() const {
  std::set<std::string> suspects;
  if (options_.quick) return suspects;
  for (const BlobInfo& blob : TRY(service_.content_.list())) {
    const auto read = service_.content_.verify(blob.digest);
    if (read.ok() || read.error().kind() == ErrorKind::kNotFound) continue;
    if (!is_damage(read.error())) return read.error();
    suspects.insert(blob.digest.str());
  }
  return suspects;
}

Result<StoreCheck::Found> StoreCheck::look(const std::set<std::string>& suspects) const {
  Found found;
  for (std::string& text : TRY(check_database(*service_.database_, options_.quick)))
    found.add(DamageKind::kDatabase, "metadata.db", std::move(text));
  found.rows = TRY(find_bad_rows(*service_.database_));
  for (const BadRow& row : found.rows)
    found.add(DamageKind::kBadRow, fmt::format("{} {}", row.table, row.key), row.problem);
  TRY(look_at_blobs(suspects, found));
  TRY(look_at_snapshots(found));
  std::map<std::string, SnapshotInfo> snapshots;
  const auto records = TRY(service_.images_.list());
  for (SnapshotInfo& info : TRY(service_.snapshots_->list())) {
    std::string key = info.key;
    snapshots.emplace(std::move(key), std::move(info));
  }
  for (const ImageRecord& record : records) TRY(look_at_image(record, snapshots, found));
  TRY(look_at_leftovers(found));
  return found;
}

/// What did not read well without the lock may have been replaced since.
Result<void> StoreCheck::look_at_blobs(const std::set<std::string>& suspects, Found& found) const {
  for (const std::string& name : suspects) {
    const auto read = service_.content_.verify(TRY(Digest::parse(name)));
    if (read.ok() || read.error().kind() == ErrorKind::kNotFound) continue;
    if (!is_damage(read.error())) return read.error();
    found.bad_blobs.insert(name);
    found.add(DamageKind::kBadBlob, name, read.error().message());
  }
  return {};
}

Result<void> StoreCheck::look_at_snapshots(Found& found) const {
  found.faults = TRY(service_.snapshots_->check());
  for (const SnapshotFault& fault : found.faults) {
    const bool of_row = fault.kind == SnapshotFault::Kind::kBadRow;
    found.add(kind_of(fault.kind), of_row ? "snapshots " + fault.name : fault.name, fault.detail);
  }
  return {};
}

Result<void> StoreCheck::look_at_image(const ImageRecord& record,
                                       const std::map<std::string, SnapshotInfo>& snapshots,
                                       Found& found) const {
  // Of a row that does not parse enough has been said.
  if (std::ranges::any_of(found.rows, [&](const BadRow& row) {
        return row.table == "images" && row.key == record.id;
      })) {
    return {};
  }
  const auto text = TRY(read_small(record.id, "the config of " + title_of(record), found));
  if (!text) {
    found.unusable.insert(record.id);
  } else if (const auto config = parse_image_config(*text); !config.ok()) {
    found.unusable.insert(record.id);
    found.add(DamageKind::kBrokenImage, record.id, config.error().message());
  } else {
    look_at_chain(record, *config, snapshots, found);
  }
  return record.manifest.empty() ? Result<void>() : look_at_manifest(record, found);
}

void StoreCheck::look_at_chain(const ImageRecord& record, const Image& config,
                               const std::map<std::string, SnapshotInfo>& snapshots,
                               Found& found) const {
  const auto broken = [&](std::string detail) {
    found.unusable.insert(record.id);
    found.add(DamageKind::kBrokenImage, record.id, std::move(detail));
  };
  const auto chain = chain_ids(config.diff_ids);
  if (record.top != (chain.empty() ? "" : chain.back()))
    return broken("its uppermost layer is not the one that its config names");
  std::string below;
  for (const std::string& layer : chain) {
    const auto at = snapshots.find(layer);
    if (at == snapshots.end()) return broken(fmt::format("layer {} is not there", layer));
    if (at->second.kind != SnapshotKind::kCommitted)
      return broken(fmt::format("layer {} is unfinished", layer));
    if (at->second.parent != below)
      return broken(fmt::format("layer {} is not based on the one below it", layer));
    const auto fault = std::ranges::find(found.faults, layer, &SnapshotFault::name);
    if (fault != found.faults.end())
      return broken(fmt::format("layer {} is damaged: {}", layer, fault->detail));
    below = layer;
  }
}

Result<void> StoreCheck::look_at_manifest(const ImageRecord& record, Found& found) const {
  const std::string title = title_of(record);
  const auto text = TRY(read_small(record.manifest, "the manifest of " + title, found));
  std::map<std::string, std::int64_t> sizes;
  if (!text) {
    found.not_pushable.insert(record.id);
  } else if (const auto parsed = parse_manifest(*text);
             parsed.ok() && std::holds_alternative<Manifest>(*parsed)) {
    for (const Descriptor& layer : std::get<Manifest>(*parsed).layers)
      sizes.emplace(layer.digest, layer.size);
  } else {
    found.not_pushable.insert(record.id);
    found.add(DamageKind::kBrokenImage, record.id,
              fmt::format("its manifest {} cannot be read", record.manifest));
  }
  for (const std::string& blob : record.blobs) {
    const auto digest = Digest::parse(blob);
    if (!digest.ok()) continue;  // a bad row
    const auto info = service_.content_.stat(*digest);
    const auto said = sizes.find(blob);
    if (!info.ok() && info.error().kind() != ErrorKind::kNotFound) return info.error();
    if (!info.ok()) {
      found.add(DamageKind::kMissingBlob, blob, "a layer of " + title);
    } else if (!found.bad_blobs.contains(blob) && said != sizes.end() && said->second >= 0 &&
               info->size != static_cast<std::uint64_t>(said->second)) {
      found.bad_blobs.insert(blob);
      found.add(DamageKind::kBadBlob, blob,
                fmt::format("it has {} bytes, not {}", info->size, said->second));
    }
    if (!info.ok() || found.bad_blobs.contains(blob)) found.not_pushable.insert(record.id);
  }
  return {};
}

Result<std::optional<std::string>> StoreCheck::read_small(const std::string& digest,
                                                          const std::string& what,
                                                          Found& found) const {
  std::optional<std::string> none;
  const auto parsed = Digest::parse(digest);
  if (!parsed.ok()) return none;  // a bad row
  auto text = service_.content_.read(*parsed, kMaxJsonBytes);
  if (text.ok()) return std::optional(std::move(*text));
  if (text.error().kind() == ErrorKind::kNotFound) {
    found.add(DamageKind::kMissingBlob, digest, what);
  } else if (!is_damage(text.error())) {
    return text.error();
  } else if (found.bad_blobs.insert(digest).second) {
    found.add(DamageKind::kBadBlob, digest, fmt::format("{}: {}", what, text.error().message()));
  }
  return none;
}

Result<void> StoreCheck::look_at_leftovers(Found& found) const {
  if (service_.makers_ > 0) return {};  // it may all be theirs
  const auto garbage = TRY(service_.find_garbage());
  const auto left = [&](std::string subject, const char* why) {
    found.add(DamageKind::kLeftover, std::move(subject), why);
  };
  for (const std::string& layer : garbage.layers) left(layer, "a layer of no image");
  for (const std::string& chain_id : garbage.sizes) left("layers " + chain_id, "has no snapshot");
  for (const BlobInfo& blob : garbage.blobs)
    if (const std::string& name = blob.digest.str(); !found.bad_blobs.contains(name))
      left(name, "a blob of no image");
  for (const std::string& key : garbage.unfinished)
    found.add(DamageKind::kHalfMade, key, "nobody is unpacking it");
  found.ingest = TRY(service_.content_.unfinished());
  for (const std::string& name : found.ingest)
    found.add(DamageKind::kLeftover, "content/ingest/" + name, "of a write that was cut");
  for (const auto& entry : TRY(sys::list_dir(service_.staging_.get()))) {
    found.staging.push_back(entry.name);
    found.add(DamageKind::kLeftover, "staging/" + entry.name, "of a load that was cut");
  }
  return {};
}

}  // namespace berth::image
