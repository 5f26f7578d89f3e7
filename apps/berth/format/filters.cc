#include "berth/format/filters.h"

#include <algorithm>
#include <cctype>

#include "base/json.h"

namespace berth::cli {
namespace {

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(' ') - first + 1));
}

}  // namespace

Result<std::string> query_filters(const std::vector<std::string>& filters) {
  if (filters.empty()) return std::string();
  Json query = Json::object();
  for (const auto& filter : filters) {
    const auto equals = filter.find('=');
    if (equals == std::string::npos)
      return fail(ErrorKind::kInvalid,
                  "invalid argument \"{}\" for \"-f, --filter\" flag: bad format of filter "
                  "(expected name=value)",
                  filter);
    std::string name = trimmed(std::string_view(filter).substr(0, equals));
    std::ranges::transform(name, name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    query[name][trimmed(std::string_view(filter).substr(equals + 1))] = true;
  }
  return dump_json(query);
}

}  // namespace berth::cli
