#include <array>
#include <cstdio>

#include "base/json.h"
#include "berth/client/json_stream.h"
#include "berth/command/session.h"
#include "berth/command/version.h"
#include "berth/format/rows.h"
#include "berth/format/template.h"
#include "berth/format/units.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

struct InfoOptions {
  std::string format;
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"format", 'f', into<&InfoOptions::format>(), "Format output: json, or a Go template"},
});

enum class Show { kText, kBytes, kPairs, kNames, kList };

// What of the engine's answer is shown, and as what; empty texts are left out.
struct Line {
  std::string_view label;
  std::string_view member;
  Show show = Show::kText;
};
constexpr std::array<Line, 23> kLines = {{
    {" Containers", "Containers"},
    {"  Running", "ContainersRunning"},
    {"  Paused", "ContainersPaused"},
    {"  Stopped", "ContainersStopped"},
    {" Images", "Images"},
    {" Server Version", "ServerVersion"},
    {" Storage Driver", "Driver"},
    {"", "DriverStatus", Show::kPairs},
    {" Logging Driver", "LoggingDriver"},
    {" Cgroup Driver", "CgroupDriver"},
    {" Cgroup Version", "CgroupVersion"},
    {" Runtimes", "Runtimes", Show::kNames},
    {" Default Runtime", "DefaultRuntime"},
    {" Security Options", "SecurityOptions", Show::kList},
    {" Kernel Version", "KernelVersion"},
    {" Operating System", "OperatingSystem"},
    {" OSType", "OSType"},
    {" Architecture", "Architecture"},
    {" CPUs", "NCPU"},
    {" Total Memory", "MemTotal", Show::kBytes},
    {" Name", "Name"},
    {" ID", "ID"},
    {" Root Dir", "DockerRootDir"},
}};

std::string plain(const OrderedJson& value) {
  return value.is_string() ? value.get<std::string>() : dump_json(value);
}

std::string text_of(const Line& line, const OrderedJson& value) {
  std::string text;
  switch (line.show) {
    case Show::kText:
      return plain(value).empty() ? "" : fmt::format("{}: {}\n", line.label, plain(value));
    case Show::kBytes:
      return value.is_number()
                 ? fmt::format("{}: {}\n", line.label, human_binary_size(value.get<double>()))
                 : "";
    case Show::kPairs:
      for (const auto& pair : value)
        if (pair.is_array() && pair.size() == 2)
          text += fmt::format("  {}: {}\n", plain(pair[0]), plain(pair[1]));
      return text;
    case Show::kNames:
      for (const auto& member : value.items())
        text += fmt::format("{}{}", text.empty() ? "" : " ", member.key());
      return text.empty() ? "" : fmt::format("{}: {}\n", line.label, text);
    case Show::kList:
      for (const auto& item : value) text += fmt::format("  {}\n", plain(item));
      return text.empty() ? "" : fmt::format("{}:\n{}", line.label, text);
  }
  return text;
}

void print_server(const OrderedJson& server) {
  for (const Line& line : kLines) {
    const auto member = server.find(line.member);
    if (member != server.end() && !member->is_null()) fmt::print("{}", text_of(line, *member));
  }
  std::fflush(stdout);
  if (const auto warnings = server.find("Warnings");
      warnings != server.end() && warnings->is_array())
    for (const auto& warning : *warnings) fmt::print(stderr, "{}\n", plain(warning));
}

Result<int> info(Session& session, const InfoOptions& options, const Arguments&) {
  const std::string body = TRY((*TRY(session.engine())).call("GET", Target("/info")));
  OrderedJson server = TRY(parse_ordered(body, kMaxAnswerBytes).context("the engine's answer"));
  if (!server.is_object())
    return fail(ErrorKind::kCorrupt, "the engine's answer to info is no object");
  if (!options.format.empty()) {
    const Template format = TRY(Template::parse(template_text(options.format)));
    server["ClientInfo"] = {{"Version", kClientVersion}, {"Context", "default"}};
    fmt::print("{}\n", TRY(format.execute(server)));
    return 0;
  }
  fmt::print("Client: Berth\n Version: {}\n\nServer:\n", kClientVersion);
  print_server(server);
  return 0;
}

}  // namespace

constinit const Verb kInfoVerb = {
    .name = "info",
    .usage = "[OPTIONS]",
    .summary = "Display system-wide information",
    .flags = kFlags,
    .operands = {0, 0},
    .invoke = InvokeOf<info>::invoke,
};

}  // namespace berth::cli
