// Any bytes as config.json: a spec or an error, and a spec, valid or not, is written to a text that
// reads as the same spec and meets the same verdict.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/json.h"
#include "container/spec/spec.h"

namespace {

using berth::container::Spec;

std::string verdict(const Spec& spec) {
  const auto valid = berth::container::validate(spec);
  return valid.ok() ? std::string() : valid.error().message();
}

void check_text(const Spec& spec, const std::string& text) {
  // Escapes may make it longer than what was read.
  if (text.size() > berth::container::kMaxSpecBytes) return;
  const auto again = berth::container::parse_spec(text);
  if (!again.ok() || *again != spec || verdict(*again) != verdict(spec)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto spec = berth::container::parse_spec(text);
  if (!spec.ok()) return 0;
  // The two readers of JSON agree on what is JSON. One has caps that the other does not need.
  const auto json = berth::parse_json(text);
  if (!json.ok() && json.error().kind() != berth::ErrorKind::kExhausted) std::abort();
  (void)verdict(*spec);
  check_text(*spec, berth::container::to_json(*spec));
  check_text(*spec, berth::container::to_pretty_json(*spec));
  return 0;
}
