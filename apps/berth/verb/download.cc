#include "berth/verb/download.h"

#include <array>
#include <span>

#include "berth/verb/output_file.h"

namespace berth::cli {

Result<void> download(const Client& client, const Target& target, const std::string& output) {
  OutputFile file = TRY(OutputFile::open(output));
  HttpConnection connection = TRY(client.open());
  TRY(client.send(connection, "GET", target));
  TRY(Client::receive_head(connection));
  std::array<char, 65536> piece;
  for (;;) {
    const auto bytes = std::span<const char>(piece).first(TRY(connection.read_body(piece)));
    if (bytes.empty()) break;
    TRY(file.write(bytes));
  }
  return file.keep();
}

}  // namespace berth::cli
