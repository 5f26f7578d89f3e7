#include <unistd.h>

#include <cstdio>

#include "berth/client/json_stream.h"
#include "berth/command/session.h"
#include "berth/stream/terminal.h"
#include "berth/verb/archive.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

struct LoadOptions {
  std::string input;
  std::string platform;
  bool quiet = false;
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"input", 'i', into<&LoadOptions::input>(), "Read from tar archive file, instead of STDIN"},
    {"platform", 0, into<&LoadOptions::platform>(),
     "Load only the given platform variant (e.g., \"linux/amd64\")"},
    {"quiet", 'q', into<&LoadOptions::quiet>(), "Suppress the load output"},
});

Result<int> load(Session& session, const LoadOptions& options, const Arguments&) {
  if (options.input.empty() && is_terminal(STDIN_FILENO))
    return fail(ErrorKind::kInvalid,
                "requested load from stdin, but stdin is empty: name a file with -i");
  Archive archive = TRY(Archive::open(options.input));
  const Client& client = *TRY(session.engine());
  Target target("/images/load");
  target.query("quiet", options.quiet || !is_terminal(STDOUT_FILENO) ? "1" : "0")
      .maybe("platform", options.platform);
  HttpConnection connection = TRY(client.open());
  TRY(client.send(connection, "POST", target, archive));
  TRY(Client::receive_head(connection));
  JsonStream messages(connection);
  while (const auto message = TRY(messages.next())) {
    if (!message->is_object()) continue;
    if (const auto error = message->find("error"); error != message->end() && error->is_string())
      return fail(ErrorKind::kInternal, "{}", error->get_ref<const std::string&>());
    if (const auto text = message->find("stream"); text != message->end() && text->is_string())
      fmt::print("{}", text->get_ref<const std::string&>());
  }
  return 0;
}

}  // namespace

constinit const Verb kLoadVerb = {
    .name = "load",
    .usage = "[OPTIONS]",
    .summary = "Load an image from a tar archive or STDIN",
    .flags = kFlags,
    .operands = {0, 0},
    .invoke = InvokeOf<load>::invoke,
};

}  // namespace berth::cli
