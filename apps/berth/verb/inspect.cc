#include <cstdio>
#include <optional>

#include "base/json.h"
#include "berth/client/json_stream.h"
#include "berth/command/session.h"
#include "berth/format/indent.h"
#include "berth/format/rows.h"
#include "berth/format/template.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

struct InspectOptions {
  std::string format;
  std::string type;
  bool size = false;
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"format", 'f', into<&InspectOptions::format>(), "Format output: json, or a Go template"},
    {"size", 's', into<&InspectOptions::size>(),
     "Display total file sizes if the type is container"},
    {"type", 0, into<&InspectOptions::type>(),
     "Only inspect objects of the given type (container, image)"},
});
constexpr auto kContainerFlags = std::to_array<FlagSpec>({kFlags[0], kFlags[1]});
constexpr auto kImageFlags = std::to_array<FlagSpec>({kFlags[0]});

// A template that cannot be parsed, as docker's exit code has it.
constexpr int kExitBadTemplate = 64;

// The kinds of things, in the order in which a name is looked for among them.
struct Type {
  std::string_view name;
  std::string_view path;
};
constexpr std::array<Type, 2> kTypes = {{{"container", "/containers"}, {"image", "/images"}}};

Result<std::string> find(Client& client, const InspectOptions& options, const std::string& name) {
  for (const Type& type : kTypes) {
    if (!options.type.empty() && options.type != type.name) continue;
    Target target(type.path);
    target.segment(name).then("/json").flag("size", options.size && type.name == "container");
    auto found = client.call("GET", target);
    if (found.ok() || found.error().kind() != ErrorKind::kNotFound || !options.type.empty())
      return found;
  }
  return fail(ErrorKind::kNotFound, "error: no such object: {}", name);
}

Result<std::string> show(const std::optional<Template>& format, const std::string& body) {
  const OrderedJson object =
      TRY(parse_ordered(body, kMaxAnswerBytes).context("the engine's answer"));
  return format ? TRY(format->execute(object)) + "\n" : body;
}

Result<int> inspect(Session& session, const InspectOptions& options, const Arguments& operands) {
  if (!options.type.empty() && options.type != kTypes[0].name && options.type != kTypes[1].name)
    return fail(ErrorKind::kInvalid,
                "unknown type: \"{}\": must be one of \"container\", \"image\"", options.type);
  std::optional<Template> format;
  const bool compact = options.format == "json";
  if (!options.format.empty() && !compact) {
    auto parsed = Template::parse(options.format);
    if (!parsed.ok()) {
      print_error(parsed.error());
      return kExitBadTemplate;
    }
    format = std::move(*parsed);
  }
  Client& client = *TRY(session.engine());
  std::string text;
  std::vector<Error> errors;
  for (const std::string& name : operands) {
    auto body = find(client, options, name);
    auto shown = body.ok() ? show(format, *body) : std::move(body);
    if (!shown.ok()) {
      errors.push_back(std::move(shown).error());
    } else {
      if (!format && !text.empty()) text += ',';
      text += *shown;
    }
  }
  if (!format)
    text = compact ? dump_json(TRY(parse_ordered("[" + text + "]", kMaxAnswerBytes)))
                   : indent_json("[" + text + "]");
  fmt::print("{}{}", text, format && !text.empty() ? "" : "\n");
  for (const Error& error : errors) print_error(error);
  return errors.empty() ? 0 : kExitFailure;
}

Result<int> inspect_as(Session& session, const InspectOptions& options, const Arguments& operands,
                       std::string_view type) {
  InspectOptions typed = options;
  typed.type = type;
  return inspect(session, typed, operands);
}

Result<int> inspect_container(Session& session, const InspectOptions& options,
                              const Arguments& operands) {
  return inspect_as(session, options, operands, kTypes[0].name);
}

Result<int> inspect_image(Session& session, const InspectOptions& options,
                          const Arguments& operands) {
  return inspect_as(session, options, operands, kTypes[1].name);
}

}  // namespace

constinit const Verb kInspectVerb = {
    .name = "inspect",
    .usage = "[OPTIONS] NAME|ID [NAME|ID...]",
    .summary = "Return low-level information on containers and images",
    .flags = kFlags,
    .operands = {.min = 1},
    .invoke = InvokeOf<inspect>::invoke,
};

constinit const Verb kInspectContainerVerb = {
    .name = "inspect",
    .usage = "[OPTIONS] CONTAINER [CONTAINER...]",
    .summary = "Display detailed information on one or more containers",
    .flags = kContainerFlags,
    .operands = {.min = 1},
    .invoke = InvokeOf<inspect_container>::invoke,
};

constinit const Verb kInspectImageVerb = {
    .name = "inspect",
    .usage = "[OPTIONS] IMAGE [IMAGE...]",
    .summary = "Display detailed information on one or more images",
    .flags = kImageFlags,
    .operands = {.min = 1},
    .invoke = InvokeOf<inspect_image>::invoke,
};

}  // namespace berth::cli
