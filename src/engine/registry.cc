#include "engine/registry.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "engine/workload_entry.h"

namespace berth::engine {
namespace {

bool name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-';
}

bool valid_name(std::string_view name) {
  constexpr std::size_t kMaxName = 255;  // it becomes a file name and a host name's source
  return name.size() >= 2 && name.size() <= kMaxName && std::ranges::all_of(name, name_char) &&
         name[0] != '_' && name[0] != '.' && name[0] != '-';
}

}  // namespace

Result<void> Registry::reserve_name(const std::string& name, const WorkloadId& id) {
  if (!valid_name(name))
    return fail(ErrorKind::kInvalid,
                "Invalid container name ({}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", name);
  const auto [it, inserted] = names_.emplace(name, id);
  if (!inserted) {
    return fail(ErrorKind::kConflict,
                "Conflict. The container name \"/{}\" is already in use by container \"{}\". You "
                "have to remove (or "
                "rename) that container to be able to reuse that name.",
                name, it->second.str());
  }
  return {};
}

void Registry::release_name(const std::string& name) {
  names_.erase(name);
}

void Registry::add(std::shared_ptr<Workload> workload) {
  const std::string id = workload->view.id.str();
  by_id_.emplace(id, std::move(workload));
}

void Registry::remove(const WorkloadId& id) {
  by_id_.erase(id.str());
}

Result<std::shared_ptr<Workload>> Registry::find(std::string_view reference) const {
  if (const auto exact = by_id_.find(reference); exact != by_id_.end()) return exact->second;
  const std::string_view name = reference.starts_with('/') ? reference.substr(1) : reference;
  if (const auto named = names_.find(name); named != names_.end()) {
    // A reserved name has no workload yet: to others it does not exist.
    if (const auto it = by_id_.find(named->second.str()); it != by_id_.end()) return it->second;
  } else if (!reference.empty()) {
    const auto first = by_id_.lower_bound(reference);
    if (first != by_id_.end() && first->first.starts_with(reference)) {
      const auto second = std::next(first);
      if (second != by_id_.end() && second->first.starts_with(reference))
        return fail(ErrorKind::kConflict, "Multiple IDs found with provided prefix: {}", reference);
      return first->second;
    }
  }
  return fail(ErrorKind::kNotFound, "No such container: {}", reference);
}

std::vector<std::shared_ptr<Workload>> Registry::all() const {
  std::vector<std::shared_ptr<Workload>> workloads;
  workloads.reserve(by_id_.size());
  for (const auto& [id, workload] : by_id_) workloads.push_back(workload);
  return workloads;
}

std::string made_up_name() {
  static constexpr std::array kLooks = {
      "amber", "azure",  "brave",  "brisk",  "calm",   "clear",  "coral",  "crisp",
      "deep",  "eager",  "fair",   "fleet",  "gentle", "golden", "grand",  "happy",
      "hardy", "jolly",  "keen",   "light",  "lively", "lucky",  "mellow", "merry",
      "misty", "noble",  "placid", "proud",  "quick",  "quiet",  "rapid",  "ready",
      "royal", "rustic", "sandy",  "serene", "silver", "steady", "sunny",  "swift"};
  static constexpr std::array kVessels = {
      "barge",  "brig",    "canoe",   "caravel", "clipper", "cog",      "corvette",
      "cutter", "dhow",    "dinghy",  "dory",    "ferry",   "frigate",  "galleon",
      "galley", "gondola", "junk",    "kayak",   "ketch",   "launch",   "lugger",
      "packet", "pinnace", "pontoon", "punt",    "raft",    "schooner", "skiff",
      "sloop",  "tanker",  "tender",  "trawler", "tug",     "whaler",   "yawl"};
  std::array<std::uint16_t, 2> random{};
  // A failure leaves zeros, and a taken name is retried with digits by the caller.
  if (::getrandom(random.data(), sizeof random, 0) < 0) random = {};
  return fmt::format("{}_{}", kLooks[random[0] % kLooks.size()],
                     kVessels[random[1] % kVessels.size()]);
}

}  // namespace berth::engine
