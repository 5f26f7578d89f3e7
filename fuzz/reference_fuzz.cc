// Any text: a reference that parses prints to one that parses to the same, in both of its forms.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "image/reference/reference.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)berth::image::Digest::parse(text);
  const auto parsed = berth::image::Reference::parse(text);
  if (!parsed.ok()) return 0;
  if (parsed->repository().size() > berth::image::kMaxRepositoryName) std::abort();
  for (const std::string& form : {parsed->str(), parsed->familiar()}) {
    const auto again = berth::image::Reference::parse(form);
    if (!again.ok() || *again != *parsed) std::abort();
  }
  return 0;
}
