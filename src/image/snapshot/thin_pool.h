// ThinPool: numbered block devices that share their blocks, of which one can be made as a snapshot
// of another at no cost. Linux, admin-guide/device-mapper/thin-provisioning.rst.
//
// The pool's transaction id is the largest number that was ever given to a device: it is raised, by
// a compare-and-set that the pool makes durable, before a device of that number is made. So no
// number comes twice, and what dies half-way has made either nothing or a device whose number is
// known. Devices are there (activated) while somebody needs them; the pool, while this object or
// one of its devices is. Thread-safe.
//
// Files of its directory: data and metadata (sparse; loop devices), base (the number and the size
// of an empty file system of which all others are snapshots), new (the same of one that is being
// made).
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "sys/device_mapper.h"

namespace berth::image {

struct ThinPoolOptions {
  std::uint64_t data = 100ULL << 30;    // of all devices together, as far as they differ
  std::uint64_t metadata = 2ULL << 30;  // for as many blocks as data has, and some thousand devices
  std::uint64_t device = 10ULL << 30;   // of one file system; only the first time it counts
  /// The name of a thin pool that somebody else has made, and keeps; then `data` and `metadata`
  /// mean nothing.
  std::string existing = {};
};

class ThinPool {
 public:
  using Number = std::uint32_t;

  /// Opens or makes the pool in the directory `path`. kUnsupported: the kernel has no thin pools,
  /// or there are no loop devices or mkfs.ext4.
  static Result<std::unique_ptr<ThinPool>> open(const std::string& path,
                                                const ThinPoolOptions& options);
  /// Devices that nobody uses go, and the pool with the last of them.
  ~ThinPool();
  ThinPool(const ThinPool&) = delete;
  ThinPool& operator=(const ThinPool&) = delete;

  /// Of an empty file system.
  Number base() const { return base_; }
  /// For a device that is about to be made.
  Result<void> refuse_unless_unused() const;
  Result<Number> take_number();
  /// `origin` may be in use: its file system is made to stand still for a moment.
  Result<void> make_snapshot(Number number, Number origin);
  /// No error if there is none. kConflict: it is in use.
  Result<void> erase(Number number);

  /// The path of the device, which stays until it is released.
  Result<std::string> activate(Number number);
  /// It goes as soon as nobody has it mounted.
  void release(Number number);
  /// All that was written to its file system is on disk.
  Result<void> flush(Number number);

 private:
  ThinPool(sys::DeviceMapper mapper, std::string path, ThinPoolOptions options)
      : mapper_(std::move(mapper)), path_(std::move(path)), options_(std::move(options)) {}
  Result<void> start();
  Result<void> create_pool();
  Result<std::uint64_t> transaction_id() const;
  Result<void> make_base();
  Result<void> read_base(const std::string& text);
  Result<void> make_file_system(Number number);
  Result<std::string> activate_locked(Number number);
  std::string name_of(Number number) const;

  sys::DeviceMapper mapper_;
  std::string path_;
  ThinPoolOptions options_;
  std::string prefix_;  // of the devices' names; that of the pool, unless somebody else has made it
  std::string name_;    // of the pool's device
  std::string pool_number_;
  Number base_ = 0;
  std::uint64_t device_bytes_ = 0;
  std::mutex mutex_;         // one call at a time changes what devices there are
  std::set<Number> active_;  // guarded by mutex_
};

}  // namespace berth::image
