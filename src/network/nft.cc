#include "network/nft.h"

#include <nftables/libnftables.h>

#include <string_view>

namespace berth::network {
namespace {

// A table with every port of one address published prints about 10 MB.
constexpr std::size_t kMaxListBytes = 64U << 20;

/// What libnftables has to say: its reason, without its own "Error: ", and the command that it
/// echoes on the next line.
Error failure(nft_ctx* context) {
  const char* buffer = nft_ctx_get_error_buffer(context);
  const std::string_view all = buffer != nullptr ? buffer : "";
  const std::size_t line = all.find('\n');
  std::string_view reason = all.substr(0, line);
  std::string_view command = line == all.npos ? "" : all.substr(line + 1);
  command = command.substr(0, command.find('\n'));
  if (const std::size_t prefix = reason.find("Error: "); prefix != reason.npos)
    reason.remove_prefix(prefix + 7);
  ErrorKind kind = ErrorKind::kInternal;
  if (reason.find("No such file or directory") != reason.npos) kind = ErrorKind::kNotFound;
  if (reason.find("File exists") != reason.npos) kind = ErrorKind::kConflict;
  if (reason.find("not permitted") != reason.npos) kind = ErrorKind::kPermission;
  return fail(kind, "nftables: {}: {}", command, reason.empty() ? "no reason given" : reason);
}

}  // namespace

void Nft::Free::operator()(nft_ctx* context) const {
  nft_ctx_free(context);
}

Result<nft_ctx*> Nft::context(unsigned output_flags) {
  if (context_ == nullptr) {
    context_.reset(nft_ctx_new(NFT_CTX_DEFAULT));
    if (context_ == nullptr || nft_ctx_buffer_output(context_.get()) != 0 ||
        nft_ctx_buffer_error(context_.get()) != 0) {
      context_.reset();
      return fail(ErrorKind::kInternal,
                  "nftables: no context: is the kernel built with CONFIG_NF_TABLES?");
    }
  }
  nft_ctx_output_set_flags(context_.get(), output_flags);
  return context_.get();
}

Result<void> Nft::run(const std::string& commands) {
  nft_ctx* const context = TRY(this->context(0));
  if (nft_run_cmd_from_buffer(context, commands.c_str()) != 0) return failure(context);
  return {};
}

Result<Json> Nft::list(const std::string& command) {
  nft_ctx* const context = TRY(this->context(NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_NUMERIC_ALL));
  if (nft_run_cmd_from_buffer(context, command.c_str()) != 0) return failure(context);
  const char* const output = nft_ctx_get_output_buffer(context);
  return parse_json(output != nullptr ? output : "", kMaxListBytes).context(command);
}

}  // namespace berth::network
