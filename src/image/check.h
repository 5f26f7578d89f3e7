// What a check of the image store can find, and how it is told (ImageService::check).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace berth::image {

enum class DamageKind : std::uint8_t {
  kDatabase,       // the file itself: beyond repair here
  kBadRow,         // a row that does not parse, or refers to one that is not there
  kBadBlob,        // its bytes are not what its digest says
  kMissingBlob,    // an image refers to it
  kMissingTree,    // a snapshot's row without its files
  kMissingParent,  // a snapshot based on one that is not there
  kStrayTree,      // files without a snapshot's row
  kHalfMade,       // a snapshot that nobody is making any more
  kBrokenImage,    // its layers are not those that its config names
  kLeftover,       // of a write that was cut, or of what nothing refers to any more
};

/// "bad blob": what tables and answers call it.
std::string_view to_string(DamageKind kind);

struct Damage {
  DamageKind kind = DamageKind::kLeftover;
  std::string subject;  // a digest, an image's id, a snapshot's key, a row, a path in the store
  std::string detail;   // what is wrong with it
  bool repaired = false;

  friend bool operator==(const Damage&, const Damage&) = default;
};

struct CheckOptions {
  bool quick = false;   // layers' blobs by their size alone
  bool repair = false;  // take out what cannot stand
};

struct CheckReport {
  std::vector<Damage> damages = {};  // none: all is well
  std::size_t images = 0;            // what was looked at
  std::size_t snapshots = 0;
  std::size_t blobs = 0;

  /// Nothing was found, or nothing is left of it.
  bool well() const;
};

}  // namespace berth::image
