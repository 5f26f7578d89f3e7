#include <termios.h>
#include <unistd.h>

#include <cstdio>

#include "base/json.h"
#include "base/scope_exit.h"
#include "berth/client/docker_config.h"
#include "berth/client/registry_login.h"
#include "berth/command/session.h"
#include "berth/verb/verbs.h"

namespace berth::cli {
namespace {

struct LoginOptions {
  std::string username;
  std::string password;
  bool password_stdin = false;
};

constexpr auto kFlags = std::to_array<FlagSpec>({
    {"password", 'p', into<&LoginOptions::password>(), "Password", "string"},
    {"password-stdin", 0, into<&LoginOptions::password_stdin>(), "Take the password from stdin"},
    {"username", 'u', into<&LoginOptions::username>(), "Username", "string"},
});

constexpr std::size_t kMaxSecret = 64U << 10;

/// What standard input has: a line, or with `all` everything, without the last line's end.
Result<std::string> read_input(bool all) {
  std::string text;
  for (char c = 0; text.size() < kMaxSecret;) {
    const ssize_t count = ::read(STDIN_FILENO, &c, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("standard input");
    if (count == 0 || (c == '\n' && !all)) break;
    text += c;
  }
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

Result<std::string> ask(const char* prompt, bool hidden) {
  termios before = {};
  if (::tcgetattr(STDIN_FILENO, &before) != 0)
    return fail(ErrorKind::kInvalid,
                "Cannot perform an interactive login from a non TTY device: use --username and "
                "--password-stdin");
  termios silent = before;
  silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  const ScopeExit restore([&] {
    if (hidden) ::tcsetattr(STDIN_FILENO, TCSANOW, &before);
  });
  if (hidden) ::tcsetattr(STDIN_FILENO, TCSANOW, &silent);
  fmt::print("{}", prompt);
  std::fflush(stdout);
  std::string answer = TRY(read_input(false));
  if (hidden) fmt::print("\n");
  return answer;
}

Result<void> complete(LoginOptions& options) {
  if (options.password_stdin && !options.password.empty())
    return fail(ErrorKind::kInvalid, "--password and --password-stdin are mutually exclusive");
  if (options.password_stdin && options.username.empty())
    return fail(ErrorKind::kInvalid, "Must provide --username with --password-stdin");
  if (!options.password.empty())
    fmt::print(stderr,
               "WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n");
  if (options.password_stdin) options.password = TRY(read_input(true));
  if (options.username.empty()) options.username = TRY(ask("Username: ", false));
  if (options.username.empty())
    return fail(ErrorKind::kInvalid, "Error: Non-null Username Required");
  if (options.password.empty() && !options.password_stdin)
    options.password = TRY(ask("Password: ", true));
  if (options.password.empty()) return fail(ErrorKind::kInvalid, "Error: Password Required");
  return {};
}

Result<int> login(Session& session, const LoginOptions& given, const Arguments& operands) {
  LoginOptions options = given;
  TRY(complete(options));
  const std::string key = registry_key_of_server(operands.empty() ? "" : operands[0]);
  const std::string body = dump_json(OrderedJson{
      {"username", options.username}, {"password", options.password}, {"serveraddress", key}});
  TRY((*TRY(session.engine())).call("POST", Target("/auth"), body));
  if (!TRY(remember_login(key, options.username, options.password)))
    fmt::print(stderr,
               "WARNING! Your password will be stored unencrypted in {}.\n"
               "Configure a credential helper to remove this warning.\n",
               docker_config_path());
  fmt::print("Login Succeeded\n");
  return 0;
}

}  // namespace

constinit const Verb kLoginVerb = {
    .name = "login",
    .usage = "[OPTIONS] [SERVER]",
    .summary = "Log in to a registry",
    .flags = kFlags,
    .operands = {0, 1},
    .invoke = InvokeOf<login>::invoke,
};

}  // namespace berth::cli
