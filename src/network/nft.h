// Nft: libnftables behind Results. Commands are its text language (man 8 nft); one run() is one
// atomic transaction. The library's context is made when first needed. It keeps about a megabyte,
// so release() may drop it when idle; that waits for RCU after elements were deleted (nf_tables
// flushes its destroy list when a socket closes), so only a background thread calls it. Not
// thread-safe. The context belongs to the namespace of the thread that made it.
#pragma once

#include <memory>
#include <string>

#include "base/json.h"
#include "base/result.h"

struct nft_ctx;

namespace berth::network {

class Nft {
 public:
  /// kNotFound where the text of the answer says that the table, chain, set or element does not
  /// exist.
  Result<void> run(const std::string& commands);
  /// Runs a `list` command and returns its answer as JSON (libnftables-json(5)).
  Result<Json> list(const std::string& command);
  void release() { context_.reset(); }

 private:
  struct Free {
    void operator()(nft_ctx* context) const;
  };
  Result<nft_ctx*> context(unsigned output_flags);

  std::unique_ptr<nft_ctx, Free> context_;
};

}  // namespace berth::network
