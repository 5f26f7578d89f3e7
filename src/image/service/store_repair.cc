// What a check takes out of the store. Where one step fails the others go on: the second look tells
// what is left.
#include <algorithm>

#include "base/log.h"
#include "image/load/unpack.h"
#include "image/service/store_check.h"
#include "sys/dir.h"

namespace berth::image {
namespace {

void note(const Result<void>& done) {
  if (!done.ok()) log::warning("repair of the image store: {}", done.error().message());
}

}  // namespace

Result<void> StoreCheck::repair(const Found& found) {
  for (const BadRow& row : found.rows) note(remove_bad_row(*service_.database_, row));
  if (!found.bad_blobs.empty()) {
    const UniqueFd quarantine =
        TRY(sys::make_dir_at(service_.lock_.fd(), std::string(kQuarantineName), 0700));
    for (const std::string& name : found.bad_blobs) {
      const auto moved = service_.content_.quarantine(TRY(Digest::parse(name)), quarantine.get());
      if (moved.ok())
        log::warning("blob {} is damaged: it is in {} now, as {}", name, kQuarantineName, *moved);
      else
        note(moved.error());
    }
  }
  TRY(repair_images(found));
  remove_leftovers(found);
  repair_snapshots(found);
  return {};
}

Result<void> StoreCheck::repair_images(const Found& found) {
  for (const ImageRecord& record : TRY(service_.images_.list())) {
    if (found.not_pushable.contains(record.id)) note(service_.images_.forget_manifest(record.id));
    if (!found.unusable.contains(record.id) || (in_use_ && in_use_(record.id))) continue;
    const auto removed = service_.images_.remove(record);
    if (removed.ok())
      log::warning("image {} was damaged, and is removed: pull or load it again", record.id);
    else
      note(removed.error());
  }
  return {};
}

void StoreCheck::remove_leftovers(const Found& found) {
  // Where nobody was found at work, what is unfinished is nobody's.
  if (const auto swept = service_.sweep_locked(service_.makers_ == 0); !swept.ok())
    note(swept.error());
  for (const std::string& name : found.ingest) note(service_.content_.remove_unfinished(name));
  for (const std::string& name : found.staging)
    note(sys::remove_tree(service_.staging_.get(), name));
}

/// Layers alone: the snapshot of a container may be all that there is of its files. Children first,
/// as they come last in the list.
void StoreCheck::repair_snapshots(const Found& found) {
  auto faults = found.faults;
  std::ranges::reverse(faults);
  for (const SnapshotFault& fault : faults) {
    if (fault.kind == SnapshotFault::Kind::kStray || fault.kind == SnapshotFault::Kind::kHalfMade) {
      note(service_.snapshots_->remove_stray(fault.name));
      continue;
    }
    const auto info = service_.snapshots_->stat(fault.name);
    if (!info.ok() || info->kind == SnapshotKind::kActive) continue;
    const auto removed = service_.snapshots_->remove(fault.name);
    if (!removed.ok() && removed.error().kind() != ErrorKind::kConflict) note(removed);
  }
}

}  // namespace berth::image
