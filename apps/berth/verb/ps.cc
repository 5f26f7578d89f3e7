#include <cstdio>

#include "base/clock.h"
#include "base/json.h"
#include "berth/command/session.h"
#include "berth/format/filters.h"
#include "berth/format/moment.h"
#include "berth/format/port_summary.h"
#include "berth/format/rows.h"
#include "berth/format/units.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

struct PsOptions {
  bool all = false;
  bool latest = false;
  bool no_trunc = false;
  bool quiet = false;
  bool size = false;
  std::int64_t last = -1;
  std::string format;
  std::vector<std::string> filters;
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"all", 'a', into<&PsOptions::all>(), "Show all containers (default shows just running)"},
    {"filter", 'f', into<&PsOptions::filters>(), "Filter output based on conditions provided",
     "filter"},
    {"format", 0, into<&PsOptions::format>(),
     "Format output: table, table TEMPLATE, json, or a Go template"},
    {"last", 'n', into<&PsOptions::last>(), "Show n last created containers (includes all states)",
     "", "-1"},
    {"latest", 'l', into<&PsOptions::latest>(),
     "Show the latest created container (includes all states)"},
    {"no-trunc", 0, into<&PsOptions::no_trunc>(), "Don't truncate output"},
    {"quiet", 'q', into<&PsOptions::quiet>(), "Only display container IDs"},
    {"size", 's', into<&PsOptions::size>(), "Display total file sizes"},
});

constexpr auto kColumns = std::to_array<Column>({
    {"ID", "CONTAINER ID"},
    {"Names", "NAMES"},
    {"Image", "IMAGE"},
    {"Command", "COMMAND"},
    {"CreatedAt", "CREATED AT"},
    {"RunningFor", "CREATED"},
    {"Ports", "PORTS"},
    {"State", "STATE"},
    {"Status", "STATUS"},
    {"Size", "SIZE"},
    {"Labels", "LABELS"},
    {"Mounts", "MOUNTS"},
    {"LocalVolumes", "LOCAL VOLUMES"},
    {"Networks", "NETWORKS"},
});

constexpr std::string_view kTable =
    "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}";

Result<std::string> names(const Json& container, bool trunc) {
  std::string all;
  for (std::string name : TRY(get_strings(container, "Names"))) {
    if (name.starts_with('/')) name.erase(0, 1);
    if (trunc && name.find('/') != std::string::npos) continue;  // a link's
    if (trunc) return name;
    all += (all.empty() ? "" : ",") + name;
  }
  return all;
}

Result<std::string> image(const Json& container, bool trunc) {
  const std::string name = TRY(get_string(container, "Image"));
  if (name.empty()) return std::string("<no image>");
  const std::string id = TRY(get_string(container, "ImageID"));
  return trunc && !id.empty() && brief_id(name) == brief_id(id) ? std::string(brief_id(id)) : name;
}

Result<std::string> ports(const Json& container) {
  std::vector<PortSummary> summary;
  if (const Json* list = find_member(container, "Ports"); list && list->is_array())
    for (const Json& port : *list)
      summary.push_back({TRY(get_string(port, "IP")), TRY(get_int(port, "PrivatePort")),
                         TRY(get_int(port, "PublicPort")), TRY(get_string(port, "Type"))});
  return summarize_ports(std::move(summary));
}

struct MountNames {
  std::string text;
  int local_volumes = 0;
};

Result<MountNames> mounts(const Json& container, bool trunc) {
  MountNames result;
  if (const Json* list = find_member(container, "Mounts"); list && list->is_array())
    for (const Json& mount : *list) {
      std::string name = TRY(get_string(mount, "Name"));
      if (name.empty()) name = TRY(get_string(mount, "Source"));
      result.text += (result.text.empty() ? "" : ",") + (trunc ? ellipsis(name, 15) : name);
      if (TRY(get_string(mount, "Driver")) == "local") ++result.local_volumes;
    }
  return result;
}

std::string networks(const Json& container) {
  std::string text;
  if (const Json* settings = find_member(container, "NetworkSettings"))
    if (const Json* list = find_member(*settings, "Networks"); list && list->is_object())
      for (const auto& network : list->items()) text += (text.empty() ? "" : ",") + network.key();
  return text;
}

Result<std::string> size(const Json& container) {
  const auto written = static_cast<double>(TRY(get_int(container, "SizeRw")));
  const auto whole = static_cast<double>(TRY(get_int(container, "SizeRootFs")));
  return whole > 0 ? fmt::format("{} (virtual {})", human_size(written), human_size(whole))
                   : human_size(written);
}

Result<OrderedJson> row_of(const Json& container, bool trunc, std::int64_t now_seconds) {
  const std::string id = TRY(get_string(container, "Id"));
  const std::string command = TRY(get_string(container, "Command"));
  const std::int64_t created = TRY(get_int(container, "Created"));
  const auto labels = TRY(get_string_map(container, "Labels"));
  std::string label_text;
  for (const auto& [key, value] : labels)
    label_text += fmt::format("{}{}={}", label_text.empty() ? "" : ",", key, value);
  const MountNames mounted = TRY(mounts(container, trunc));
  OrderedJson row = OrderedJson::object();
  row["Command"] = dump_json(Json(trunc ? ellipsis(command, 20) : command));
  row["CreatedAt"] = local_moment(created);
  row["ID"] = trunc ? std::string(brief_id(id)) : id;
  row["Image"] = TRY(image(container, trunc));
  row["Labels"] = label_text;
  row["LocalVolumes"] = std::to_string(mounted.local_volumes);
  row["Mounts"] = mounted.text;
  row["Names"] = TRY(names(container, trunc));
  row["Networks"] = networks(container);
  row["Ports"] = TRY(ports(container));
  row["RunningFor"] = human_duration(now_seconds - created) + " ago";
  row["Size"] = TRY(size(container));
  row["State"] = TRY(get_string(container, "State"));
  row["Status"] = TRY(get_string(container, "Status"));
  row["Label"] = labels;
  return row;
}

Result<int> ps(Session& session, const PsOptions& options, const Arguments&) {
  const std::string table = fmt::format("{}{}", kTable, options.size ? "\t{{.Size}}" : "");
  const RowFormat format = TRY(RowFormat::create(options.format, table, kColumns));
  const std::int64_t limit = options.latest ? 1 : options.last;
  Target target("/containers/json");
  target.flag("all", options.all || limit > 0).flag("size", options.size);
  if (limit > 0) target.query("limit", std::to_string(limit));
  target.maybe("filters", TRY(query_filters(options.filters)));
  const std::string body = TRY((*TRY(session.engine())).call("GET", target));
  const Json answer = TRY(parse_json(body, kMaxAnswerBytes).context("the engine's answer"));

  std::vector<OrderedJson> rows;
  const auto now_seconds =
      std::chrono::duration_cast<std::chrono::seconds>(now().time_since_epoch()).count();
  for (const Json& container : answer)
    rows.push_back(TRY(row_of(container, !options.no_trunc, now_seconds)));
  if (options.quiet && (options.format.empty() || options.format == "table")) {
    for (const OrderedJson& row : rows) fmt::print("{}\n", row["ID"].get_ref<const std::string&>());
    return 0;
  }
  fmt::print("{}", TRY(format.render(rows)));
  return 0;
}

}  // namespace

constinit const Verb kPsVerb = {
    .name = "ps",
    .usage = "[OPTIONS]",
    .summary = "List containers",
    .flags = kFlags,
    .operands = {0, 0},
    .invoke = InvokeOf<ps>::invoke,
};

}  // namespace berth::cli
