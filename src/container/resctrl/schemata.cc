#include "container/resctrl/schemata.h"

#include <algorithm>

namespace berth::container {
namespace {

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto end = text.find(separator);
    if (const auto part = trim(text.substr(0, end)); !part.empty()) parts.push_back(part);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return parts;
}

struct Domain {
  std::string_view id;
  std::string_view value;
  bool operator==(const Domain&) const = default;
};

std::string_view without_zeros(std::string_view number) {
  while (number.size() > 1 && number.starts_with('0')) number.remove_prefix(1);
  return number;
}

// "0=7f0;1=1f"
std::vector<Domain> domains_of(std::string_view values) {
  std::vector<Domain> domains;
  for (const auto part : split(values, ';')) {
    const auto equals = part.find('=');
    if (equals == std::string_view::npos)
      domains.push_back({part, {}});
    else
      domains.push_back(
          {trim(part.substr(0, equals)), without_zeros(trim(part.substr(equals + 1)))});
  }
  return domains;
}

std::string_view resource_of(std::string_view line) {
  return trim(line.substr(0, line.find(':')));
}

std::string_view values_of(std::string_view line) {
  const auto colon = line.find(':');
  return colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
}

}  // namespace

std::vector<std::string> schemata_lines(const IntelRdt& rdt) {
  std::vector<std::string> lines;
  if (!rdt.l3_cache_schema.empty()) lines.push_back(rdt.l3_cache_schema);
  if (!rdt.mem_bw_schema.empty()) lines.push_back(rdt.mem_bw_schema);
  lines.insert(lines.end(), rdt.schemata.begin(), rdt.schemata.end());
  return lines;
}

std::string find_schema(std::string_view schemata, std::string_view resource) {
  for (const auto line : split(schemata, '\n'))
    if (resource_of(line) == resource) return std::string(line);
  return {};
}

bool agrees(std::string_view schemata, std::string_view line) {
  const std::string found = find_schema(schemata, resource_of(line));
  const auto there = domains_of(values_of(found));
  return !found.empty() && std::ranges::all_of(domains_of(values_of(line)), [&](const Domain& one) {
    return std::ranges::find(there, one) != there.end();
  });
}

}  // namespace berth::container
