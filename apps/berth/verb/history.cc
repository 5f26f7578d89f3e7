#include <algorithm>
#include <cstdio>

#include "base/clock.h"
#include "base/json.h"
#include "berth/command/session.h"
#include "berth/format/moment.h"
#include "berth/format/rows.h"
#include "berth/format/units.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

struct HistoryOptions {
  std::string format;
  bool human = true;
  bool no_trunc = false;
  bool quiet = false;
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"format", 0, into<&HistoryOptions::format>(),
     "Format output: table, table TEMPLATE, json, or a Go template"},
    {"human", 'H', into<&HistoryOptions::human>(), "Print sizes and dates in human readable format",
     "", "true"},
    {"no-trunc", 0, into<&HistoryOptions::no_trunc>(), "Don't truncate output"},
    {"quiet", 'q', into<&HistoryOptions::quiet>(), "Only show image IDs"},
});

constexpr auto kColumns = std::to_array<Column>({
    {"ID", "IMAGE"},
    {"CreatedSince", "CREATED"},
    {"CreatedAt", "CREATED AT"},
    {"CreatedBy", "CREATED BY"},
    {"Size", "SIZE"},
    {"Comment", "COMMENT"},
});

constexpr std::string_view kTable =
    "{{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}";
constexpr std::size_t kCommandLength = 45;

Result<OrderedJson> row_of(const Json& entry, const HistoryOptions& options, std::int64_t now) {
  const std::string id = TRY(get_string(entry, "Id"));
  const std::int64_t created = TRY(get_int(entry, "Created"));
  const std::int64_t size = TRY(get_int(entry, "Size"));
  std::string command = TRY(get_string(entry, "CreatedBy"));
  std::ranges::replace(command, '\t', ' ');
  // An author who did not say when left the year 1, or nothing.
  const std::string at = created > 0 ? local_rfc3339_seconds(created) : std::string();
  OrderedJson row = OrderedJson::object();
  row["Comment"] = TRY(get_string(entry, "Comment"));
  row["CreatedAt"] = at;
  row["CreatedBy"] = options.no_trunc ? command : ellipsis(command, kCommandLength);
  row["CreatedSince"] =
      options.human ? (created > 0 ? human_duration(now - created) + " ago" : "N/A") : at;
  row["ID"] = options.no_trunc ? id : std::string(brief_id(id));
  row["Size"] = options.human ? human_size(static_cast<double>(size)) : std::to_string(size);
  return row;
}

Result<int> history(Session& session, const HistoryOptions& options, const Arguments& operands) {
  const RowFormat format = TRY(RowFormat::create(options.format, kTable, kColumns));
  Target target("/images");
  target.segment(operands[0]).then("/history");
  const std::string body = TRY((*TRY(session.engine())).call("GET", target));
  const Json answer = TRY(parse_json(body, kMaxAnswerBytes).context("the engine's answer"));
  const auto now_seconds =
      std::chrono::duration_cast<std::chrono::seconds>(now().time_since_epoch()).count();
  std::vector<OrderedJson> rows;
  for (const Json& entry : answer) rows.push_back(TRY(row_of(entry, options, now_seconds)));
  if (options.quiet && (options.format.empty() || options.format == "table")) {
    for (const OrderedJson& row : rows) fmt::print("{}\n", row["ID"].get_ref<const std::string&>());
    return 0;
  }
  fmt::print("{}", TRY(format.render(rows)));
  return 0;
}

}  // namespace

constinit const Verb kHistoryVerb = {
    .name = "history",
    .usage = "[OPTIONS] IMAGE",
    .summary = "Show the history of an image",
    .flags = kFlags,
    .operands = {1, 1},
    .invoke = InvokeOf<history>::invoke,
};

}  // namespace berth::cli
