#include <unistd.h>

#include <array>

#include "base/clock.h"
#include "berth/command/session.h"
#include "berth/format/moment.h"
#include "berth/stream/attachment.h"
#include "berth/verb/verbs.h"
#include "berth/verb/workload.h"

namespace berth::cli {
namespace {

struct LogsOptions {
  bool details = false;
  bool follow = false;
  bool timestamps = false;
  std::string since, until;
  std::string tail = "all";
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"details", 0, into<&LogsOptions::details>(), "Show extra details provided to logs"},
    {"follow", 'f', into<&LogsOptions::follow>(), "Follow log output"},
    {"since", 0, into<&LogsOptions::since>(),
     "Show logs since timestamp (e.g. \"2013-01-02T13:23:37Z\") or relative (e.g. \"42m\" for 42 "
     "minutes)"},
    {"tail", 'n', into<&LogsOptions::tail>(), "Number of lines to show from the end of the logs",
     "", "\"all\""},
    {"timestamps", 't', into<&LogsOptions::timestamps>(), "Show timestamps"},
    {"until", 0, into<&LogsOptions::until>(),
     "Show logs before a timestamp (e.g. \"2013-01-02T13:23:37Z\") or relative (e.g. \"42m\" for "
     "42 minutes)"},
});

Result<Target> logs_target(const LogsOptions& options, const std::string& id) {
  Target target("/containers");
  target.segment(id)
      .then("/logs")
      .query("stdout", "1")
      .query("stderr", "1")
      .query("tail", options.tail);
  target.flag("follow", options.follow)
      .flag("timestamps", options.timestamps)
      .flag("details", options.details);
  const WallTime now = berth::now();
  if (!options.since.empty())
    target.query("since",
                 TRY(query_moment(options.since, now).context("invalid value for \"since\"")));
  if (!options.until.empty())
    target.query("until",
                 TRY(query_moment(options.until, now).context("invalid value for \"until\"")));
  return target;
}

Result<int> logs(Session& session, const LogsOptions& options, const Arguments& operands) {
  Client& client = *TRY(session.engine());
  const Workload workload = TRY(inspect_workload(client, operands[0]));
  const Target target = TRY(logs_target(options, workload.id));
  HttpConnection connection = TRY(client.open());
  TRY(client.send(connection, "GET", target));
  TRY(Client::receive_head(connection));
  StdcopyDemultiplexer demultiplexer;
  std::array<char, 32768> piece;
  for (;;) {
    const auto bytes = std::span<const char>(piece).first(TRY(connection.read_body(piece)));
    if (bytes.empty()) return 0;
    if (workload.tty) {
      TRY(write_all(STDOUT_FILENO, bytes));
      continue;
    }
    TRY(demultiplexer.feed(bytes, [](OutputStream stream, std::span<const char> payload) {
      return write_all(stream == OutputStream::kStdout ? STDOUT_FILENO : STDERR_FILENO, payload);
    }));
  }
}

}  // namespace

constinit const Verb kLogsVerb = {
    .name = "logs",
    .usage = "[OPTIONS] CONTAINER",
    .summary = "Fetch the logs of a container",
    .flags = kFlags,
    .operands = {1, 1},
    .invoke = InvokeOf<logs>::invoke,
};

}  // namespace berth::cli
