// BusWriter: values as the bytes of a D-Bus message, in this host's byte order. Each value begins
// at a multiple of its type's alignment, counted from the writer's first byte; what is between is
// zero. D-Bus specification, "Marshaling (Wire Format)".
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace berth::container {

/// A unit's DeviceAllow entry: systemd.resource-control(5).
struct DeviceAllowance {
  std::string device;  // "/dev/char/1:3", "char-136", "block-*"
  std::string access;  // of "rwm"
  friend bool operator==(const DeviceAllowance&, const DeviceAllowance&) = default;
};

/// What a property of a unit may hold. Each alternative is one type of D-Bus (signature_of()).
using BusValue = std::variant<bool, std::uint8_t, std::int16_t, std::uint16_t, std::int32_t,
                              std::uint32_t, std::int64_t, std::uint64_t, double, std::string,
                              std::vector<std::string>, std::vector<std::uint8_t>,
                              std::vector<std::uint32_t>, std::vector<DeviceAllowance>>;

/// "t", "as", "a(ss)".
std::string_view signature_of(const BusValue& value);

class BusWriter {
 public:
  /// Numbers, by their size.
  template <typename T>
    requires(std::integral<T> || std::floating_point<T>) && (!std::same_as<T, bool>)
  void write(T value) {
    align(sizeof value);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void write(bool value) { write(std::uint32_t{value}); }
  /// Also for object paths. Without NUL bytes.
  void write(std::string_view text);
  void write(const std::string& text) { write(std::string_view(text)); }
  void write(const char* text) { write(std::string_view(text)); }
  void write(const DeviceAllowance& entry);
  void write_signature(std::string_view signature);
  /// Of the same type throughout.
  template <typename T>
  void write(const std::vector<T>& values) {
    write_array(alignment_of<T>(), [&] {
      for (const T& value : values) write(value);
    });
  }
  /// The value itself, without its signature.
  void write_value(const BusValue& value);
  void write_variant(const BusValue& value);
  /// An array whose elements `body` writes; `alignment` is theirs (8 for structs).
  template <typename Body>
  void write_array(std::size_t alignment, Body body) {
    write(std::uint32_t{0});
    const std::size_t at = bytes_.size() - sizeof(std::uint32_t);
    align(alignment);  // not counted in the length
    const std::size_t begin = bytes_.size();
    body();
    set_length(at, bytes_.size() - begin);
  }
  void align(std::size_t alignment) {
    bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment);
  }

  std::size_t size() const { return bytes_.size(); }
  std::string take() { return std::move(bytes_); }

 private:
  template <typename T>
  static constexpr std::size_t alignment_of() {
    if constexpr (std::integral<T>)
      return sizeof(T);
    else if constexpr (std::same_as<T, std::string>)
      return sizeof(std::uint32_t);
    else
      return 8;  // a struct's
  }
  void set_length(std::size_t at, std::size_t length);

  std::string bytes_;
};

}  // namespace berth::container
