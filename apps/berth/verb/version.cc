#include "berth/command/version.h"

#include <sys/utsname.h>

#include <cstdio>

#include "base/json.h"
#include "berth/client/json_stream.h"
#include "berth/command/session.h"
#include "berth/format/rows.h"
#include "berth/format/table.h"
#include "berth/format/template.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

struct VersionOptions {
  std::string format;
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"format", 'f', into<&VersionOptions::format>(), "Format output: json, or a Go template"},
});

// Two spaces and a tab stop: names are padded to the widest by align_columns().
constexpr TableStyle kStyle = {.min_width = 20, .padding = 1};

std::string go_architecture(std::string_view machine) {
  return machine == "x86_64" ? "amd64" : machine == "aarch64" ? "arm64" : std::string(machine);
}

OrderedJson client_version() {
  utsname host{};
  ::uname(&host);
  OrderedJson client = OrderedJson::object();
  client["Version"] = kClientVersion;
  client["ApiVersion"] = kApiVersion;
  client["DefaultAPIVersion"] = kApiVersion;
  client["Os"] = "linux";
  client["Arch"] = go_architecture(host.machine);
  client["Context"] = "default";
  return client;
}

std::string client_text(const OrderedJson& client) {
  return fmt::format("Client: Berth\n Version:\t{}\n API version:\t{}\n OS/Arch:\t{}/{}\n",
                     kClientVersion, kApiVersion, client["Os"].get<std::string>(),
                     client["Arch"].get<std::string>());
}

Result<std::string> component_text(const Json& component) {
  std::string text = fmt::format(" {}:\n  Version:\t{}\n", TRY(get_string(component, "Name")),
                                 TRY(get_string(component, "Version")));
  const Json* details = find_member(component, "Details");
  if (!details || !details->is_object()) return text;
  if (TRY(get_string(component, "Name")) != "Engine") {
    for (const auto& [name, value] : TRY(get_string_map(component, "Details")))
      text += fmt::format("  {}:\t{}\n", name, value);
    return text;
  }
  text += fmt::format("  API version:\t{} (minimum version {})\n",
                      TRY(get_string(*details, "ApiVersion")),
                      TRY(get_string(*details, "MinAPIVersion")));
  if (const auto commit = TRY(get_string(*details, "GitCommit")); !commit.empty())
    text += fmt::format("  Git commit:\t{}\n", commit);
  text += fmt::format("  OS/Arch:\t{}/{}\n", TRY(get_string(*details, "Os")),
                      TRY(get_string(*details, "Arch")));
  return text;
}

Result<std::string> server_text(const std::string& body) {
  const Json server = TRY(parse_json(body).context("the engine's answer"));
  const Json* platform = find_member(server, "Platform");
  const std::string name = platform ? TRY(get_string(*platform, "Name")) : "";
  std::string text = fmt::format("\nServer:{}{}\n", name.empty() ? "" : " ", name);
  if (const Json* components = find_member(server, "Components");
      components && components->is_array() && !components->empty()) {
    for (const Json& component : *components) text += TRY(component_text(component));
    return text;
  }
  text += fmt::format(" Engine:\n  Version:\t{}\n  API version:\t{} (minimum version {})\n",
                      TRY(get_string(server, "Version")), TRY(get_string(server, "ApiVersion")),
                      TRY(get_string(server, "MinAPIVersion")));
  return text;
}

Result<int> version(Session& session, const VersionOptions& options, const Arguments&) {
  const OrderedJson client = client_version();
  auto engine = session.engine();
  const auto body = engine.ok() ? (*engine)->call("GET", Target("/version"))
                                : Result<std::string>(engine.error());
  if (options.format.empty()) {
    fmt::print("{}", align_columns(client_text(client), kStyle));
    if (body.ok()) fmt::print("{}", align_columns(TRY(server_text(*body)), kStyle));
  } else {
    const OrderedJson server =
        body.ok() ? TRY(parse_ordered(*body, kMaxAnswerBytes)) : OrderedJson();
    const Template format = TRY(Template::parse(template_text(options.format)));
    OrderedJson both = OrderedJson::object();
    both["Client"] = client;
    both["Server"] = server;
    fmt::print("{}\n", TRY(format.execute(both)));
  }
  if (body.ok()) return 0;
  print_error(body.error());
  return kExitFailure;
}

}  // namespace

constinit const Verb kVersionVerb = {
    .name = "version",
    .usage = "[OPTIONS]",
    .summary = "Show the version of the client and of the engine",
    .flags = kFlags,
    .operands = {0, 0},
    .invoke = InvokeOf<version>::invoke,
};

}  // namespace berth::cli
