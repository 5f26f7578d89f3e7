// Registry: the workloads of an engine by id, by name, and by unambiguous prefix of an id. Names
// are reserved before the slow part of a creation starts, so that of two racing creators one is
// told at once. Event-loop thread only.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/workload.h"

namespace berth::engine {

struct Workload;

class Registry {
 public:
  /// kInvalid for a name Docker would not take; kConflict in Docker's words if it is in use.
  Result<void> reserve_name(const std::string& name, const WorkloadId& id);
  void release_name(const std::string& name);
  void add(std::shared_ptr<Workload> workload);
  void remove(const WorkloadId& id);

  /// kNotFound "No such container: X"; kConflict for an ambiguous prefix.
  Result<std::shared_ptr<Workload>> find(std::string_view reference) const;
  bool name_taken(const std::string& name) const { return names_.contains(name); }
  std::vector<std::shared_ptr<Workload>> all() const;

 private:
  std::map<std::string, std::shared_ptr<Workload>, std::less<>> by_id_;  // ordered, for prefixes
  std::map<std::string, WorkloadId, std::less<>> names_;
};

/// A free name of two words, for workloads that were given none.
std::string made_up_name();

}  // namespace berth::engine
