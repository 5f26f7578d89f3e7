#include <array>

#include "berth/command/session.h"
#include "berth/verb/output_file.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

struct ExportOptions {
  std::string output;
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"output", 'o', into<&ExportOptions::output>(), "Write to a file, instead of STDOUT"},
});

Result<int> export_filesystem(Session& session, const ExportOptions& options,
                              const Arguments& operands) {
  OutputFile output = TRY(OutputFile::open(options.output));
  Target target("/containers");
  target.segment(operands[0]).then("/export");
  const Client& client = *TRY(session.engine());
  HttpConnection connection = TRY(client.open());
  TRY(client.send(connection, "GET", target));
  TRY(Client::receive_head(connection));
  std::array<char, 65536> piece;
  for (;;) {
    const auto bytes = std::span<const char>(piece).first(TRY(connection.read_body(piece)));
    if (bytes.empty()) break;
    TRY(output.write(bytes));
  }
  TRY(output.keep());
  return 0;
}

}  // namespace

constinit const Verb kExportVerb = {
    .name = "export",
    .usage = "[OPTIONS] CONTAINER",
    .summary = "Export a container's filesystem as a tar archive",
    .flags = kFlags,
    .operands = {1, 1},
    .invoke = InvokeOf<export_filesystem>::invoke,
};

}  // namespace berth::cli
