#include <algorithm>
#include <cstdio>

#include "base/json.h"
#include "berth/client/registry_auth.h"
#include "berth/command/session.h"
#include "berth/format/filters.h"
#include "berth/format/rows.h"
#include "berth/format/units.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

struct SearchOptions {
  std::vector<std::string> filters;
  std::string format;
  std::int64_t limit = 0;
  bool no_trunc = false;
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"filter", 'f', into<&SearchOptions::filters>(), "Filter output based on conditions provided",
     "filter"},
    {"format", 0, into<&SearchOptions::format>(),
     "Format output: table, table TEMPLATE, json, or a Go template"},
    {"limit", 0, into<&SearchOptions::limit>(), "Max number of search results"},
    {"no-trunc", 0, into<&SearchOptions::no_trunc>(), "Don't truncate output"},
});

constexpr auto kColumns = std::to_array<Column>({{"Name", "NAME"},
                                                 {"Description", "DESCRIPTION"},
                                                 {"StarCount", "STARS"},
                                                 {"IsOfficial", "OFFICIAL"},
                                                 {"IsAutomated", "AUTOMATED"}});

constexpr std::string_view kTable = "{{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}";
constexpr std::size_t kDescriptionLength = 45;

struct Found {
  std::int64_t stars;
  std::string name;
  OrderedJson row;
};

Result<Found> row_of(const Json& entry, bool trunc) {
  std::string description = TRY(get_string(entry, "description"));
  std::ranges::replace_if(description, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  const std::int64_t stars = TRY(get_int(entry, "star_count"));
  OrderedJson row = OrderedJson::object();
  row["Description"] = trunc ? ellipsis(description, kDescriptionLength) : description;
  row["IsAutomated"] = TRY(get_bool(entry, "is_automated")) ? "[OK]" : "";
  row["IsOfficial"] = TRY(get_bool(entry, "is_official")) ? "[OK]" : "";
  std::string name = TRY(get_string(entry, "name"));
  row["Name"] = name;
  row["StarCount"] = std::to_string(stars);
  return Found{stars, std::move(name), std::move(row)};
}

Result<int> search(Session& session, const SearchOptions& options, const Arguments& operands) {
  const RowFormat format = TRY(RowFormat::create(options.format, kTable, kColumns));
  Target target("/images/search");
  target.query("term", operands[0]).maybe("filters", TRY(query_filters(options.filters)));
  if (options.limit != 0) target.query("limit", std::to_string(options.limit));
  const Client& client = *TRY(session.engine());
  const std::string body =
      TRY(client.call_with_auth("GET", target, TRY(registry_auth(operands[0]))));
  const Json answer = TRY(parse_json(body, kMaxAnswerBytes).context("the engine's answer"));
  std::vector<Found> found;
  for (const Json& entry : answer) found.push_back(TRY(row_of(entry, !options.no_trunc)));
  std::ranges::sort(found, [](const Found& a, const Found& b) {
    return std::pair(b.stars, std::string_view(a.name)) <
           std::pair(a.stars, std::string_view(b.name));
  });
  std::vector<OrderedJson> rows;
  for (Found& one : found) rows.push_back(std::move(one.row));
  fmt::print("{}", TRY(format.render(rows)));
  return 0;
}

}  // namespace

constinit const Verb kSearchVerb = {
    .name = "search",
    .usage = "[OPTIONS] TERM",
    .summary = "Search a registry for images",
    .flags = kFlags,
    .operands = {1, 1},
    .invoke = InvokeOf<search>::invoke,
};

}  // namespace berth::cli
