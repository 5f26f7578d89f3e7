#include "container/systemd/bus_reader.h"

#include <bit>
#include <cstring>

namespace berth::container {
namespace {

// "Valid Signatures": 32 arrays and 32 structs may be nested. Variants, which begin anew, count
// here too, so that what an attacker nests costs a bounded stack.
constexpr int kMaxDepth = 64;
constexpr std::uint32_t kMaxArray = 1U << 26;  // "Marshaling": 64 MiB

Error corrupt(std::string_view what) {
  return fail(ErrorKind::kCorrupt, "a D-Bus message {}", what);
}

// By the type's code; 0: it has no fixed size.
std::size_t fixed_size(char type) {
  switch (type) {
    case 'y':
      return 1;
    case 'n':
    case 'q':
      return 2;
    case 'b':
    case 'i':
    case 'u':
    case 'h':
      return 4;
    case 'x':
    case 't':
    case 'd':
      return 8;
    default:
      return 0;
  }
}

std::size_t alignment_of(char type) {
  switch (type) {
    case 's':
    case 'o':
    case 'a':
      return 4;
    case '(':
    case '{':
      return 8;
    case 'g':
    case 'v':
      return 1;
    default:
      return fixed_size(type);
  }
}

bool is_basic(char type) {
  return fixed_size(type) != 0 || type == 's' || type == 'o' || type == 'g';
}

std::size_t length_of_type(std::string_view signature, int depth);

// Of "{sv}", which only an array may have as its elements.
std::size_t length_of_entry(std::string_view signature, int depth) {
  if (signature.size() < 2 || !is_basic(signature[1])) return 0;
  const std::size_t value = length_of_type(signature.substr(2), depth + 1);
  const std::size_t end = 2 + value;
  return value == 0 || end >= signature.size() || signature[end] != '}' ? 0 : end + 1;
}

// How much of `signature` its first complete type takes; 0: it has none.
std::size_t length_of_type(std::string_view signature, int depth) {
  if (signature.empty() || depth > kMaxDepth) return 0;
  const char type = signature.front();
  if (is_basic(type) || type == 'v') return 1;
  if (type == 'a') {
    const std::string_view rest = signature.substr(1);
    const std::size_t element =
        rest.starts_with('{') ? length_of_entry(rest, depth + 1) : length_of_type(rest, depth + 1);
    return element == 0 ? 0 : 1 + element;
  }
  if (type != '(') return 0;
  std::size_t at = 1;
  while (at < signature.size() && signature[at] != ')') {
    const std::size_t member = length_of_type(signature.substr(at), depth + 1);
    if (member == 0) return 0;
    at += member;
  }
  return at == 1 || at >= signature.size() ? 0 : at + 1;
}

}  // namespace

std::string_view first_type(std::string_view signature) {
  return signature.substr(0, length_of_type(signature, 0));
}

Result<std::string_view> BusReader::take(std::size_t count) {
  if (count > bytes_.size() - at_) return corrupt("ends within a value");
  const std::string_view taken = bytes_.substr(at_, count);
  at_ += count;
  return taken;
}

Result<void> BusReader::align(std::size_t alignment) {
  const std::size_t padding = (alignment - at_ % alignment) % alignment;
  if (TRY(take(padding)).find_first_not_of('\0') != std::string_view::npos)
    return corrupt("has padding that is not zero");
  return {};
}

Result<std::uint8_t> BusReader::read_byte() {
  return static_cast<std::uint8_t>(TRY(take(1)).front());
}

Result<std::uint32_t> BusReader::read_uint32() {
  std::uint32_t value = 0;
  TRY(align(sizeof value));
  std::memcpy(&value, TRY(take(sizeof value)).data(), sizeof value);
  return swapped_ ? std::byteswap(value) : value;
}

Result<std::string> BusReader::read_text(std::size_t length) {
  const std::string_view text = TRY(take(length));
  if (TRY(read_byte()) != 0 || text.find('\0') != std::string_view::npos)
    return corrupt("has a string whose length is wrong");
  return std::string(text);
}

Result<std::string> BusReader::read_string() {
  return read_text(TRY(read_uint32()));
}

Result<std::string> BusReader::read_signature() {
  return read_text(TRY(read_byte()));
}

Result<std::size_t> BusReader::begin_array(std::size_t alignment) {
  const std::uint32_t length = TRY(read_uint32());
  TRY(align(alignment));
  if (length > kMaxArray || length > bytes_.size() - at_) return corrupt("has an array too long");
  return at_ + length;
}

Result<void> BusReader::skip(std::string_view signature) {
  while (!signature.empty()) {
    if (first_type(signature).empty()) return corrupt("has a signature that is none");
    TRY(skip_one(signature, 0));
  }
  return {};
}

Result<void> BusReader::skip_one(std::string_view& signature, int depth) {
  if (depth > kMaxDepth) return corrupt("is nested too deep");
  const char type = signature.front();
  if (type == 'a') return skip_array(signature, depth);
  signature.remove_prefix(1);
  if (const std::size_t size = fixed_size(type); size != 0) {
    TRY(align(size));
    TRY(take(size));
    return {};
  }
  if (type == 's' || type == 'o') {
    TRY(read_string());
    return {};
  }
  if (type == 'g') {
    TRY(read_signature());
    return {};
  }
  if (type == 'v') return skip_variant(depth);
  TRY(align(8));
  while (signature.front() != ')' && signature.front() != '}') TRY(skip_one(signature, depth + 1));
  signature.remove_prefix(1);
  return {};
}

Result<void> BusReader::skip_array(std::string_view& signature, int depth) {
  const std::string_view element = signature.substr(1, first_type(signature).size() - 1);
  signature.remove_prefix(1 + element.size());
  const std::size_t end = TRY(begin_array(alignment_of(element.front())));
  while (at_ < end) {
    std::string_view one = element;
    TRY(skip_one(one, depth + 1));
  }
  if (at_ != end) return corrupt("has an array whose length is wrong");
  return {};
}

Result<void> BusReader::skip_variant(int depth) {
  const std::string signature = TRY(read_signature());
  if (signature.empty() || first_type(signature) != signature)
    return corrupt("has a variant that is not one value");
  std::string_view one = signature;
  return skip_one(one, depth + 1);
}

}  // namespace berth::container
