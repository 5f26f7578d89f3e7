#include "berth/client/registry_auth.h"

#include <fcntl.h>
#include <nettle/base64.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "base/json.h"
#include "base/unique_fd.h"

namespace berth::cli {
namespace {

constexpr std::string_view kHubKey = "https://index.docker.io/v1/";
/// What helpers give as the name where the secret is a token.
constexpr std::string_view kTokenUser = "<token>";
constexpr std::size_t kMaxAnswer = 64U << 10;

std::string encode(const std::string& text) {
  std::string encoded(BASE64_ENCODE_RAW_LENGTH(text.size()), '\0');
  ::base64_encode_raw(encoded.data(), text.size(),
                      reinterpret_cast<const std::uint8_t*>(text.data()));
  for (char& c : encoded) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return encoded;
}

Result<std::string> decode(std::string_view text) {
  base64_decode_ctx context;
  ::base64_decode_init(&context);
  std::string decoded(BASE64_DECODE_LENGTH(text.size()), '\0');
  std::size_t size = decoded.size();
  if (::base64_decode_update(&context, &size, reinterpret_cast<std::uint8_t*>(decoded.data()),
                             text.size(), text.data()) == 0 ||
      ::base64_decode_final(&context) == 0)
    return fail(ErrorKind::kInvalid, "it is no base64");
  decoded.resize(size);
  return decoded;
}

std::string field_of(const std::string& user, const std::string& secret, bool token) {
  return encode(dump_json(token ? Json{{"identitytoken", secret}}
                                : Json{{"username", user}, {"password", secret}}));
}

Result<std::string> from_helper(const std::string& answer) {
  const Json json = TRY(parse_json(answer).context("the credential helper's answer"));
  const std::string user = TRY(get_string(json, "Username"));
  const std::string secret = TRY(get_string(json, "Secret"));
  return secret.empty() ? std::string() : field_of(user, secret, user == kTokenUser);
}

Result<std::string> from_entry(const Json& entry) {
  const std::string token = TRY(get_string(entry, "identitytoken"));
  if (!token.empty()) return field_of({}, token, true);
  const std::string auth = TRY(get_string(entry, "auth"));
  if (auth.empty()) return std::string();
  const std::string pair = TRY(decode(auth).context("auth"));
  const auto colon = pair.find(':');
  if (colon == std::string::npos) return fail(ErrorKind::kInvalid, "auth has no password");
  return field_of(pair.substr(0, colon), pair.substr(colon + 1), false);
}

// Older clients wrote whole addresses as keys.
const Json* find_entry(const Json& auths, const std::string& key) {
  for (const std::string& name : {key, "https://" + key, "http://" + key, "https://" + key + "/v1/",
                                  "https://" + key + "/v2/"})
    if (const Json* entry = find_member(auths, name)) return entry;
  return nullptr;
}

// `docker-credential-NAME get` with the key on its standard input.
Result<std::string> ask_helper(const std::string& helper, const std::string& key) {
  std::string program = "docker-credential-" + helper;
  std::string verb = "get";
  int in[2];
  int out[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0)
    return fail_errno("cannot make a pipe");
  const UniqueFd in_read(in[0]), out_read(out[0]);
  UniqueFd in_write(in[1]), out_write(out[1]);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in_read.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, out_write.get(), STDOUT_FILENO);
  char* const argv[] = {program.data(), verb.data(), nullptr};
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, program.c_str(), &actions, nullptr, argv, environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    return Error::from_errno(error, fmt::format("cannot run {}, which docker's config.json names "
                                                "for the passwords of registries",
                                                program));
  out_write.reset();
  // A key is far below a pipe's room; a helper that does not read it has ended, or will.
  ::signal(SIGPIPE, SIG_IGN);
  (void)!::write(in_write.get(), key.data(), key.size());
  in_write.reset();
  std::string answer;
  std::array<char, 4096> piece;
  for (ssize_t count = 0; answer.size() < kMaxAnswer &&
                          (count = ::read(out_read.get(), piece.data(), piece.size())) > 0;)
    answer.append(piece.data(), static_cast<std::size_t>(count));
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  // It says on standard output that it has none.
  return status == 0 ? answer : std::string("{}");
}

std::string config_path() {
  if (const char* directory = std::getenv("DOCKER_CONFIG"); directory && *directory)
    return std::string(directory) + "/config.json";
  const char* home = std::getenv("HOME");
  return std::string(home ? home : "") + "/.docker/config.json";
}

}  // namespace

std::string registry_key(std::string_view reference) {
  const auto slash = reference.find('/');
  const std::string_view first = reference.substr(0, slash);
  // A first part that can be no host is a part of Docker Hub's name: the reference grammar.
  const bool is_host =
      slash != std::string_view::npos &&
      (first.find_first_of(".:") != std::string_view::npos || first == "localhost");
  if (!is_host || first == "docker.io" || first == "index.docker.io") return std::string(kHubKey);
  return std::string(first);
}

Result<std::string> registry_auth_from(std::string_view config, const std::string& key,
                                       Result<std::string> (*ask)(const std::string&,
                                                                  const std::string&)) {
  const Json root = TRY(parse_json(config));
  std::string helper = TRY(get_string(root, "credsStore"));
  if (const Json* helpers = find_member(root, "credHelpers"))
    helper = TRY(get_string(*helpers, key, helper));
  if (!helper.empty()) {
    if (helper.find('/') != std::string::npos)
      return fail(ErrorKind::kInvalid, "'{}' is not the name of a credential helper", helper);
    std::string found = TRY(from_helper(TRY(ask(helper, key))));
    if (!found.empty()) return found;
  }
  const Json* auths = find_member(root, "auths");
  const Json* entry = auths == nullptr ? nullptr : find_entry(*auths, key);
  return entry == nullptr ? std::string() : TRY(from_entry(*entry).context("auths: " + key));
}

Result<std::string> registry_auth(std::string_view reference) {
  const std::string path = config_path();
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"),
                                                             std::fclose);
  if (!file) return std::string();
  std::string text;
  std::array<char, 4096> piece;
  for (std::size_t count = 0; text.size() <= kMaxJsonBytes &&
                              (count = std::fread(piece.data(), 1, piece.size(), file.get())) > 0;)
    text.append(piece.data(), count);
  return registry_auth_from(text, registry_key(reference), ask_helper).context(path);
}

}  // namespace berth::cli
