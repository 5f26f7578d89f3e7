#include <cstdio>

#include "base/clock.h"
#include "base/json.h"
#include "berth/command/session.h"
#include "berth/format/filters.h"
#include "berth/format/moment.h"
#include "berth/format/rows.h"
#include "berth/format/units.h"
#include "berth/verb/pull_image.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

struct ImagesOptions {
  bool all = false;
  bool digests = false;
  bool no_trunc = false;
  bool quiet = false;
  std::string format;
  std::vector<std::string> filters;
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"all", 'a', into<&ImagesOptions::all>(),
     "Show all images (default hides intermediate images)"},
    {"digests", 0, into<&ImagesOptions::digests>(), "Show digests"},
    {"filter", 'f', into<&ImagesOptions::filters>(), "Filter output based on conditions provided",
     "filter"},
    {"format", 0, into<&ImagesOptions::format>(),
     "Format output: table, table TEMPLATE, json, or a Go template"},
    {"no-trunc", 0, into<&ImagesOptions::no_trunc>(), "Don't truncate output"},
    {"quiet", 'q', into<&ImagesOptions::quiet>(), "Only show image IDs"},
});

constexpr auto kColumns = std::to_array<Column>({
    {"ID", "IMAGE ID"},
    {"Repository", "REPOSITORY"},
    {"Tag", "TAG"},
    {"Digest", "DIGEST"},
    {"CreatedSince", "CREATED"},
    {"CreatedAt", "CREATED AT"},
    {"Size", "SIZE"},
    {"Containers", "CONTAINERS"},
    {"SharedSize", "SHARED SIZE"},
    {"UniqueSize", "UNIQUE SIZE"},
});

constexpr std::string_view kNone = "<none>";

// One row for each name an image has, and one for an image that has none.
struct NamedImage {
  std::string repository{kNone};
  std::string tag{kNone};
  std::string digest{kNone};
};

Result<std::vector<NamedImage>> names_of(const Json& image) {
  std::vector<NamedImage> names;
  const auto digests = TRY(get_strings(image, "RepoDigests"));
  for (const auto& text : TRY(get_strings(image, "RepoTags"))) {
    if (text == "<none>:<none>") continue;
    const ImageName name = split_reference(text);
    names.push_back({name.repository, name.tag, std::string(kNone)});
    for (const auto& digest : digests)
      if (const ImageName parts = split_reference(digest); parts.repository == name.repository)
        names.back().digest = parts.tag;
  }
  if (!names.empty()) return names;
  for (const auto& text : digests) {
    if (text == "<none>@<none>") continue;
    const ImageName parts = split_reference(text);
    names.push_back({parts.repository, std::string(kNone), parts.tag});
  }
  if (names.empty()) names.emplace_back();
  return names;
}

Result<std::vector<OrderedJson>> rows_of(const Json& image, bool trunc, std::int64_t now_seconds) {
  const std::string id = TRY(get_string(image, "Id"));
  const std::int64_t created = TRY(get_int(image, "Created"));
  const std::int64_t containers = TRY(get_int(image, "Containers", -1));
  const std::int64_t shared = TRY(get_int(image, "SharedSize", -1));
  const std::int64_t size = TRY(get_int(image, "Size"));
  std::vector<OrderedJson> rows;
  for (const NamedImage& name : TRY(names_of(image))) {
    OrderedJson row = OrderedJson::object();
    row["Containers"] = containers < 0 ? "N/A" : std::to_string(containers);
    row["CreatedAt"] = local_moment(created);
    row["CreatedSince"] = human_duration(now_seconds - created) + " ago";
    row["Digest"] = name.digest;
    row["ID"] = trunc ? std::string(brief_id(id)) : id;
    row["Repository"] = name.repository;
    row["SharedSize"] = shared < 0 ? "N/A" : human_size(static_cast<double>(shared));
    row["Size"] = human_size(static_cast<double>(size));
    row["Tag"] = name.tag;
    row["UniqueSize"] = shared < 0 ? "N/A" : human_size(static_cast<double>(size - shared));
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<int> images(Session& session, const ImagesOptions& options, const Arguments& operands) {
  const std::string table = fmt::format(
      "{{{{.Repository}}}}\t{{{{.Tag}}}}\t{}{{{{.ID}}}}\t{{{{.CreatedSince}}}}\t{{{{.Size}}}}",
      options.digests ? "{{.Digest}}\t" : "");
  const RowFormat format = TRY(RowFormat::create(options.format, table, kColumns));
  std::vector<std::string> filters = options.filters;
  if (!operands.empty()) filters.push_back("reference=" + operands[0]);
  Target target("/images/json");
  target.flag("all", options.all).maybe("filters", TRY(query_filters(filters)));
  const std::string body = TRY((*TRY(session.engine())).call("GET", target));
  const Json answer = TRY(parse_json(body, kMaxAnswerBytes).context("the engine's answer"));

  std::vector<OrderedJson> rows;
  const auto now_seconds =
      std::chrono::duration_cast<std::chrono::seconds>(now().time_since_epoch()).count();
  for (const Json& image : answer)
    for (auto& row : TRY(rows_of(image, !options.no_trunc, now_seconds)))
      rows.push_back(std::move(row));
  if (options.quiet && (options.format.empty() || options.format == "table")) {
    for (const OrderedJson& row : rows) fmt::print("{}\n", row["ID"].get_ref<const std::string&>());
    return 0;
  }
  fmt::print("{}", TRY(format.render(rows)));
  return 0;
}

}  // namespace

constinit const Verb kImagesVerb = {
    .name = "images",
    .usage = "[OPTIONS] [REPOSITORY[:TAG]]",
    .summary = "List images",
    .flags = kFlags,
    .operands = {0, 1},
    .invoke = InvokeOf<images>::invoke,
};

}  // namespace berth::cli
