#include "berth/command/session.h"

#include <cstdio>

namespace berth::cli {

Result<Client*> Session::engine() {
  if (!client_) client_.emplace(TRY(choose_endpoint(host_)));
  return &*client_;
}

void print_error(const Error& error) {
  std::fflush(stdout);
  fmt::print(stderr, "{}\n", error.message());
}

}  // namespace berth::cli
