#include <cstdio>
#include <map>

#include "base/clock.h"
#include "berth/client/json_stream.h"
#include "berth/command/session.h"
#include "berth/format/filters.h"
#include "berth/format/moment.h"
#include "berth/format/rows.h"
#include "berth/format/template.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

struct EventsOptions {
  std::string since, until, format;
  std::vector<std::string> filters;
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"filter", 'f', into<&EventsOptions::filters>(), "Filter output based on conditions provided",
     "filter"},
    {"format", 0, into<&EventsOptions::format>(), "Format output: json, or a Go template"},
    {"since", 0, into<&EventsOptions::since>(), "Show all events created since timestamp"},
    {"until", 0, into<&EventsOptions::until>(), "Stream events until this timestamp"},
});

// "2006-01-02T15:04:05.000000000Z container start <id> (image=busybox, name=web)"
Result<std::string> line_of(const OrderedJson& ordered) {
  const Json event(ordered);
  const Json nothing = Json::object();
  const Json* actor = find_member(event, "Actor");
  const std::int64_t nanoseconds = TRY(get_int(event, "timeNano"));
  const std::int64_t seconds = TRY(get_int(event, "time"));
  std::string attributes;
  for (const auto& [key, value] : TRY(get_string_map(actor ? *actor : nothing, "Attributes")))
    attributes += fmt::format("{}{}={}", attributes.empty() ? "" : ", ", key, value);
  return fmt::format("{} {} {} {}{}",
                     local_rfc3339(nanoseconds != 0 ? nanoseconds : seconds * 1'000'000'000),
                     TRY(get_string(event, "Type")), TRY(get_string(event, "Action")),
                     TRY(get_string(actor ? *actor : nothing, "ID")),
                     attributes.empty() ? "" : fmt::format(" ({})", attributes));
}

Result<int> events(Session& session, const EventsOptions& options, const Arguments&) {
  const Template format = TRY(Template::parse(template_text(options.format)));
  Target target("/events");
  const WallTime now = berth::now();
  if (!options.since.empty()) target.query("since", TRY(query_moment(options.since, now)));
  if (!options.until.empty()) target.query("until", TRY(query_moment(options.until, now)));
  target.maybe("filters", TRY(query_filters(options.filters)));

  const Client& client = *TRY(session.engine());
  HttpConnection connection = TRY(client.open());
  TRY(client.send(connection, "GET", target));
  TRY(Client::receive_head(connection));
  JsonStream stream(connection);
  while (const auto event = TRY(stream.next())) {
    fmt::print("{}\n", options.format.empty() ? TRY(line_of(*event)) : TRY(format.execute(*event)));
    // Someone may be waiting for just this one.
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

constinit const Verb kEventsVerb = {
    .name = "events",
    .usage = "[OPTIONS]",
    .summary = "Get real time events from the engine",
    .flags = kFlags,
    .operands = {0, 0},
    .invoke = InvokeOf<events>::invoke,
};

}  // namespace berth::cli
