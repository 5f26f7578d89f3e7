// GraphPlugin: the protocol of Docker's graph driver plugins, JSON over HTTP on a unix socket, as
// far as the engine needs it. docs/storage-plugins.md has the calls. Whatever it answers is checked
// for its form and size, and waited for so long and no longer; that what it says is true it is
// trusted with, as it runs as root and makes the trees. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_source.h"
#include "base/json.h"
#include "base/result.h"
#include "image/registry/http_client.h"
#include "image/snapshot/snapshotter.h"

namespace berth::image {

/// A layer may be a copy of all below it, of an image of some gigabytes.
inline constexpr std::chrono::seconds kPluginPatience{120};

class GraphPlugin {
 public:
  /// Activates the plugin `name` at `socket` and has it keep its layers in the directory `home`.
  /// An answer has to be there after `patience`. kUnsupported: what listens there is no graph
  /// driver, or nothing does.
  static Result<std::unique_ptr<GraphPlugin>> open(
      std::string name, std::string socket, const std::string& home,
      std::chrono::milliseconds patience = kPluginPatience);

  const std::string& name() const { return name_; }

  enum class Access { kReadOnly, kReadWrite };
  /// A new layer on top of `parent` (empty: nothing).
  Result<void> create(const std::string& id, const std::string& parent, Access access) const;
  /// No error if there is none of that name.
  Result<void> remove(const std::string& id) const;
  /// The directory that shows the layer, until as many calls of put() as of this.
  Result<std::string> get(const std::string& id) const;
  Result<void> put(const std::string& id) const;
  /// Fills a new layer from an archive, which is read to its end; the size of what is in it.
  Result<std::uint64_t> apply_diff(const std::string& id, const std::string& parent,
                                   ByteSource& tar) const;
  /// What the layer has otherwise than `parent`; its root counts as well.
  Result<SnapshotUsage> usage(const std::string& id, const std::string& parent) const;
  /// Pairs of words, for the log.
  Result<std::vector<std::pair<std::string, std::string>>> status() const;

 private:
  GraphPlugin(std::string name, std::string socket, std::chrono::milliseconds patience)
      : name_(std::move(name)), socket_(std::move(socket)), patience_(patience) {}
  Result<Json> call(std::string_view method, const Json& request) const;
  Result<Json> answer_of(std::string_view method, HttpRequest request) const;
  HttpRequest request_for(std::string_view method) const;

  std::string name_;
  std::string socket_;
  std::chrono::milliseconds patience_;
  HttpClient client_{HttpSettings{}};
};

}  // namespace berth::image
