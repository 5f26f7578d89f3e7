// StoreCheck: one check of an ImageService's store. It looks, repairs if that is wanted, and looks
// again: what it does not find any more is repaired. What cannot be looked at just now is an error,
// and nothing is repaired then.
//
//   without a lock   every blob is read: it is there whole or not at all
//   garbage_mutex_   the rest, which is rows, directories and small blobs: nobody can begin to rely
//                    on something, or end; what is being made is pinned, or there are makers
//   the database's   rows and trees of snapshots, at one moment
//
// Repairs come under garbage_mutex_ as well, right after the look that found what is wrong.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "image/check.h"
#include "image/service/image_service_impl.h"
#include "image/store/row_check.h"

namespace berth::image {

/// Beside the stores of all drivers: what is in it belongs to none of them any more.
inline constexpr std::string_view kQuarantineName = "quarantine";

class StoreCheck {
 public:
  using InUse = std::function<bool(const std::string& id)>;

  /// Borrows all three.
  StoreCheck(ImageServiceImpl& service, const CheckOptions& options, const InUse& in_use)
      : service_(service), options_(options), in_use_(in_use) {}

  Result<CheckReport> run();

 private:
  /// What one look has found, and what a repair needs to know of it.
  struct Found {
    std::vector<Damage> damages;
    std::vector<BadRow> rows;
    std::vector<SnapshotFault> faults;
    std::set<std::string> bad_blobs;     // digests
    std::set<std::string> unusable;      // ids of images
    std::set<std::string> not_pushable;  // ids of images
    std::vector<std::string> ingest;     // names there
    std::vector<std::string> staging;

    void add(DamageKind kind, std::string subject, std::string detail) {
      damages.push_back({kind, std::move(subject), std::move(detail)});
    }
  };

  /// Digests of blobs that do not read as they should.
  Result<std::set<std::string>> read_blobs() const;

  // Under garbage_mutex_.
  Result<Found> look(const std::set<std::string>& suspects) const;
  Result<void> look_at_blobs(const std::set<std::string>& suspects, Found& found) const;
  Result<void> look_at_snapshots(Found& found) const;
  Result<void> look_at_image(const ImageRecord& record,
                             const std::map<std::string, SnapshotInfo>& snapshots,
                             Found& found) const;
  void look_at_chain(const ImageRecord& record, const Image& config,
                     const std::map<std::string, SnapshotInfo>& snapshots, Found& found) const;
  Result<void> look_at_manifest(const ImageRecord& record, Found& found) const;
  Result<void> look_at_leftovers(Found& found) const;
  /// A small blob, or what is wrong with it.
  Result<std::optional<std::string>> read_small(const std::string& digest, const std::string& what,
                                                Found& found) const;

  // store_repair.cc
  Result<void> repair(const Found& found);
  Result<void> repair_images(const Found& found);
  void repair_snapshots(const Found& found);
  void remove_leftovers(const Found& found);

  ImageServiceImpl& service_;
  const CheckOptions& options_;
  const InUse& in_use_;
};

}  // namespace berth::image
