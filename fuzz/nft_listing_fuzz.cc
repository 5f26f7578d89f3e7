// Any bytes as nftables' answer to `list table`: a table's content or an error, and what was read
// can be compared and put into commands.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "network/firewall_table.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth::network;
  const auto listing =
      berth::parse_json(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!listing.ok()) return 0;
  const auto content = parse_table(*listing, "t");
  if (!content.ok()) return 0;
  if (!difference(*content, *content).empty()) std::abort();
  TableContent merged;
  merge(merged, *content);
  if (!difference(*content, merged).empty()) std::abort();
  subtract(merged, *content);
  for (const auto& [set, elements] : merged)
    if (!elements.empty()) std::abort();
  // Each element is in its own way.
  const TableContent clashes = conflicting(*content, *content);
  if (!difference(*content, clashes).empty()) std::abort();
  (void)add_commands("t", *content);
  (void)delete_commands("t", *content);
  return 0;
}
