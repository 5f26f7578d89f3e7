// ScopeExit: runs a function when the scope ends, unless cancelled: the undo of a step whose object
// has no type.
//   ScopeExit undo([&] { ::unlinkat(dir, name, 0); });  ...  undo.cancel();
#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

namespace berth {

template <std::invocable F>
class [[nodiscard]] ScopeExit {
 public:
  explicit ScopeExit(F undo) noexcept(std::is_nothrow_move_constructible_v<F>)
      : undo_(std::move(undo)) {}
  ScopeExit(const ScopeExit&) = delete;
  ScopeExit& operator=(const ScopeExit&) = delete;
  ~ScopeExit() {
    if (armed_) undo_();
  }

  /// The step succeeded for good: there is nothing to undo.
  void cancel() { armed_ = false; }

 private:
  F undo_;
  bool armed_ = true;
};

}  // namespace berth
