#include <algorithm>
#include <cstdio>

#include "base/clock.h"
#include "base/json.h"
#include "berth/command/session.h"
#include "berth/format/rows.h"
#include "berth/format/units.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

struct DfOptions {
  std::string format;
  bool verbose = false;
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"format", 0, into<&DfOptions::format>(),
     "Format output: table, table TEMPLATE, json, or a Go template"},
    {"verbose", 'v', into<&DfOptions::verbose>(), "Show detailed information on space usage"},
});

constexpr auto kColumns = std::to_array<Column>({
    {"Type", "TYPE"},
    {"TotalCount", "TOTAL"},
    {"Active", "ACTIVE"},
    {"Size", "SIZE"},
    {"Reclaimable", "RECLAIMABLE"},
});
constexpr std::string_view kTable =
    "{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}";

std::string size_text(std::int64_t bytes) {
  return bytes < 0 ? "N/A" : human_size(static_cast<double>(bytes), 4);
}

// Of one kind of things: how many there are and in use, how much they hold, and how much of that
// only those hold that are not in use.
struct Sum {
  std::size_t total = 0;
  std::size_t active = 0;
  std::int64_t bytes = 0;
  std::int64_t reclaimable = 0;

  OrderedJson row(std::string_view type) const {
    std::string share = size_text(reclaimable);
    if (bytes > 0) share += fmt::format(" ({}%)", reclaimable * 100 / bytes);
    OrderedJson json = OrderedJson::object();
    json["Active"] = std::to_string(active);
    json["Reclaimable"] = share;
    json["Size"] = size_text(bytes);
    json["TotalCount"] = std::to_string(total);
    json["Type"] = type;
    return json;
  }
};

const Json& list_of(const Json& answer, std::string_view key) {
  static const Json kNone = Json::array();
  const Json* list = find_member(answer, key);
  return list == nullptr || !list->is_array() ? kNone : *list;
}

Result<Sum> sum_images(const Json& answer) {
  Sum sum{.bytes = TRY(get_int(answer, "LayersSize"))};
  std::int64_t used = 0;
  for (const Json& image : list_of(answer, "Images")) {
    ++sum.total;
    if (TRY(get_int(image, "Containers")) <= 0) continue;
    ++sum.active;
    used +=
        TRY(get_int(image, "Size")) - std::max<std::int64_t>(TRY(get_int(image, "SharedSize")), 0);
  }
  sum.reclaimable = std::max<std::int64_t>(sum.bytes - used, 0);
  return sum;
}

Result<Sum> sum_containers(const Json& answer) {
  Sum sum;
  for (const Json& container : list_of(answer, "Containers")) {
    const std::int64_t bytes = TRY(get_int(container, "SizeRw"));
    const std::string state = TRY(get_string(container, "State"));
    const bool active = state == "running" || state == "paused" || state == "restarting";
    ++sum.total;
    sum.active += active ? 1 : 0;
    sum.bytes += bytes;
    sum.reclaimable += active ? 0 : bytes;
  }
  return sum;
}

struct VolumeUse {
  std::int64_t bytes = 0;  // -1: not known
  std::int64_t links = 0;
};

Result<VolumeUse> use_of(const Json& volume) {
  VolumeUse use;
  const Json* usage = find_member(volume, "UsageData");
  if (usage == nullptr) return VolumeUse{.bytes = -1};
  use.bytes = TRY(get_int(*usage, "Size", -1));
  use.links = TRY(get_int(*usage, "RefCount"));
  return use;
}

Result<Sum> sum_volumes(const Json& answer) {
  Sum sum;
  for (const Json& volume : list_of(answer, "Volumes")) {
    const VolumeUse use = TRY(use_of(volume));
    const std::int64_t bytes = std::max<std::int64_t>(use.bytes, 0);
    ++sum.total;
    sum.active += use.links > 0 ? 1 : 0;
    sum.bytes += bytes;
    sum.reclaimable += use.links > 0 ? 0 : bytes;
  }
  return sum;
}

Result<std::string> image_table(const Json& answer, std::int64_t now) {
  static constexpr auto kImageColumns = std::to_array<Column>({
      {"Name", "IMAGE"},
      {"ID", "IMAGE ID"},
      {"Created", "CREATED"},
      {"Size", "SIZE"},
      {"Shared", "SHARED SIZE"},
      {"Unique", "UNIQUE SIZE"},
      {"Containers", "CONTAINERS"},
  });
  std::vector<OrderedJson> rows;
  for (const Json& image : list_of(answer, "Images")) {
    const auto tags = TRY(get_strings(image, "RepoTags"));
    const std::int64_t size = TRY(get_int(image, "Size"));
    const std::int64_t shared = TRY(get_int(image, "SharedSize"));
    rows.push_back({{"Name", tags.empty() ? "<none>" : tags.front()},
                    {"ID", brief_id(TRY(get_string(image, "Id")))},
                    {"Created", human_duration(now - TRY(get_int(image, "Created"))) + " ago"},
                    {"Size", size_text(size)},
                    {"Shared", size_text(shared)},
                    {"Unique", size_text(shared < 0 ? -1 : size - shared)},
                    {"Containers", std::to_string(TRY(get_int(image, "Containers")))}});
  }
  const RowFormat format = TRY(RowFormat::create(
      "", "{{.Name}}\t{{.ID}}\t{{.Created}}\t{{.Size}}\t{{.Shared}}\t{{.Unique}}\t{{.Containers}}",
      kImageColumns));
  return format.render(rows);
}

Result<std::string> container_table(const Json& answer) {
  static constexpr auto kContainerColumns = std::to_array<Column>({
      {"ID", "CONTAINER ID"},
      {"Image", "IMAGE"},
      {"Size", "SIZE"},
      {"Status", "STATUS"},
      {"Name", "NAMES"},
  });
  std::vector<OrderedJson> rows;
  for (const Json& container : list_of(answer, "Containers")) {
    std::string name;
    if (const auto names = TRY(get_strings(container, "Names")); !names.empty())
      name = names.front().substr(names.front().starts_with('/') ? 1 : 0);
    rows.push_back({{"ID", brief_id(TRY(get_string(container, "Id")))},
                    {"Image", TRY(get_string(container, "Image"))},
                    {"Size", size_text(TRY(get_int(container, "SizeRw")))},
                    {"Status", TRY(get_string(container, "Status"))},
                    {"Name", name}});
  }
  const RowFormat format = TRY(RowFormat::create(
      "", "{{.ID}}\t{{.Image}}\t{{.Size}}\t{{.Status}}\t{{.Name}}", kContainerColumns));
  return format.render(rows);
}

Result<std::string> volume_table(const Json& answer) {
  static constexpr auto kVolumeColumns =
      std::to_array<Column>({{"Name", "VOLUME NAME"}, {"Links", "LINKS"}, {"Size", "SIZE"}});
  std::vector<OrderedJson> rows;
  for (const Json& volume : list_of(answer, "Volumes")) {
    const VolumeUse use = TRY(use_of(volume));
    rows.push_back({{"Name", TRY(get_string(volume, "Name"))},
                    {"Links", std::to_string(use.links)},
                    {"Size", size_text(use.bytes)}});
  }
  const RowFormat format =
      TRY(RowFormat::create("", "{{.Name}}\t{{.Links}}\t{{.Size}}", kVolumeColumns));
  return format.render(rows);
}

Result<int> print_details(const Json& answer) {
  const auto now_seconds =
      std::chrono::duration_cast<std::chrono::seconds>(now().time_since_epoch()).count();
  fmt::print("Images space usage:\n\n{}\n", TRY(image_table(answer, now_seconds)));
  fmt::print("Containers space usage:\n\n{}\n", TRY(container_table(answer)));
  fmt::print("Local Volumes space usage:\n\n{}", TRY(volume_table(answer)));
  return 0;
}

Result<int> system_df(Session& session, const DfOptions& options, const Arguments&) {
  if (options.verbose && !options.format.empty())
    return fail(ErrorKind::kInvalid, "--verbose has a format of its own: leave --format out");
  const RowFormat format = TRY(RowFormat::create(options.format, kTable, kColumns));
  const std::string body = TRY((*TRY(session.engine())).call("GET", Target("/system/df")));
  const Json answer = TRY(parse_json(body, kMaxAnswerBytes).context("the engine's answer"));
  if (options.verbose) return print_details(answer);
  fmt::print("{}", TRY(format.render({TRY(sum_images(answer)).row("Images"),
                                      TRY(sum_containers(answer)).row("Containers"),
                                      TRY(sum_volumes(answer)).row("Local Volumes"),
                                      Sum{}.row("Build Cache")})));
  return 0;
}

}  // namespace

constinit const Verb kSystemDfVerb = {
    .name = "df",
    .usage = "[OPTIONS]",
    .summary = "Show disk usage of the engine",
    .flags = kFlags,
    .operands = {0, 0},
    .invoke = InvokeOf<system_df>::invoke,
};

}  // namespace berth::cli
