// Result<T>: a value or an Error, [[nodiscard]], over std::expected (g++ 12's own is neither
// nodiscard nor monadic).
//   TRY(expr)   unwraps a Result in a function that itself returns a Result; on error it returns
//   that error. MUST(expr)  unwraps where failure is impossible; say in a comment why. Aborts with
//   the text if it was not.
// Both are GNU statement expressions: do not put co_await inside, nor use TRY in a coroutine.
// There:
//   CO_TRY(declaration, expr);   CO_TRY_VOID(expr);   the same with co_return; expr may contain
//   co_await.
#pragma once

#include <concepts>
#include <cstdio>
#include <cstdlib>
#include <expected>
#include <type_traits>
#include <utility>

#include "base/error.h"

namespace berth {

template <typename T = void>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  // Implicit on purpose: `return value;` and `return fail(...);` are the whole vocabulary of a
  // fallible function.
  template <typename U = T>
    requires(!std::same_as<std::remove_cvref_t<U>, Result> &&
             !std::same_as<std::remove_cvref_t<U>, Error> && std::constructible_from<T, U>)
  Result(U&& value)
      : state_(std::in_place, std::forward<U>(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Error error)
      : state_(std::unexpect, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.has_value(); }
  explicit operator bool() const { return ok(); }

  T& value() & { return *state_; }
  const T& value() const& { return *state_; }
  T&& value() && { return std::move(*state_); }
  T& operator*() & { return *state_; }
  const T& operator*() const& { return *state_; }
  T&& operator*() && { return std::move(*state_); }
  T* operator->() { return &*state_; }
  const T* operator->() const { return &*state_; }
  T value_or(T fallback) && { return ok() ? std::move(*state_) : std::move(fallback); }

  Error& error() & { return state_.error(); }
  const Error& error() const& { return state_.error(); }
  Error&& error() && { return std::move(state_.error()); }

  /// The same result; if it is an error, with `noun` in front of its text.
  Result context(std::string_view noun) && {
    if (ok()) return std::move(*this);
    return std::move(state_.error()).context(noun);
  }

 private:
  std::expected<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error)
      : state_(std::unexpect, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.has_value(); }
  explicit operator bool() const { return ok(); }
  void value() const {}

  Error& error() & { return state_.error(); }
  const Error& error() const& { return state_.error(); }
  Error&& error() && { return std::move(state_.error()); }

  Result context(std::string_view noun) && {
    if (ok()) return {};
    return std::move(state_.error()).context(noun);
  }

 private:
  std::expected<void, Error> state_;
};

namespace detail {
[[noreturn]] inline void must_failed(const Error& error, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: impossible error: %s\n", file, line, error.message().c_str());
  std::abort();
}
}  // namespace detail

}  // namespace berth

#define BERTH_CONCAT_(a, b) a##b
#define BERTH_CONCAT(a, b) BERTH_CONCAT_(a, b)

#define BERTH_TRY_(name, ...)         \
  __extension__({                     \
    auto name = (__VA_ARGS__);        \
    if (!name.ok()) [[unlikely]]      \
      return std::move(name).error(); \
    std::move(name).value();          \
  })
#define TRY(...) BERTH_TRY_(BERTH_CONCAT(try_result_, __COUNTER__), __VA_ARGS__)

#define BERTH_CO_TRY_(name, declaration, ...) \
  auto name = (__VA_ARGS__);                  \
  if (!name.ok()) [[unlikely]]                \
    co_return std::move(name).error();        \
  declaration = std::move(name).value()
#define CO_TRY(declaration, ...) \
  BERTH_CO_TRY_(BERTH_CONCAT(co_try_result_, __COUNTER__), declaration, __VA_ARGS__)
#define BERTH_CO_TRY_VOID_(name, ...)                                             \
  do {                                                                            \
    if (auto name = (__VA_ARGS__); !name.ok()) co_return std::move(name).error(); \
  } while (false)
#define CO_TRY_VOID(...) BERTH_CO_TRY_VOID_(BERTH_CONCAT(co_try_result_, __COUNTER__), __VA_ARGS__)

#define BERTH_MUST_(name, ...)                                        \
  __extension__({                                                     \
    auto name = (__VA_ARGS__);                                        \
    if (!name.ok()) [[unlikely]]                                      \
      ::berth::detail::must_failed(name.error(), __FILE__, __LINE__); \
    std::move(name).value();                                          \
  })
#define MUST(...) BERTH_MUST_(BERTH_CONCAT(must_result_, __COUNTER__), __VA_ARGS__)
