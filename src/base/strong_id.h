// StrongId<Tag>: a string that names one kind of thing, so that a network id cannot be passed for a
// workload id. random_hex() makes the 64-digit ids that Docker's users know.
#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace berth {

template <typename Tag>
class StrongId {
 public:
  StrongId() = default;
  explicit StrongId(std::string text) : text_(std::move(text)) {}

  const std::string& str() const { return text_; }
  bool empty() const { return text_.empty(); }
  /// The first 12 digits: what tables show.
  std::string_view brief() const { return std::string_view(text_).substr(0, 12); }

  friend auto operator<=>(const StrongId&, const StrongId&) = default;

 private:
  std::string text_;
};

/// `digits` lower-case hexadecimal digits from getrandom(2). `digits` is even and at most 128.
std::string random_hex(std::size_t digits);

/// A fresh 64-digit id.
template <typename Id>
Id random_id() {
  return Id(random_hex(64));
}

}  // namespace berth

template <typename Tag>
struct std::hash<berth::StrongId<Tag>> {
  std::size_t operator()(const berth::StrongId<Tag>& id) const noexcept {
    return std::hash<std::string>{}(id.str());
  }
};
