#include <cstdio>

#include "berth/client/registry_login.h"
#include "berth/command/session.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

Result<int> logout(Session&, const NoOptions&, const Arguments& operands) {
  const std::string key = registry_key_of_server(operands.empty() ? "" : operands[0]);
  if (!TRY(forget_login(key))) {
    fmt::print("Not logged in to {}\n", key);
    return 0;
  }
  fmt::print("Removing login credentials for {}\n", key);
  return 0;
}

}  // namespace

constinit const Verb kLogoutVerb = {
    .name = "logout",
    .usage = "[SERVER]",
    .summary = "Log out from a registry",
    .flags = {},
    .operands = {0, 1},
    .invoke = InvokeOf<logout>::invoke,
};

}  // namespace berth::cli
