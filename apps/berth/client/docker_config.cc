#include "berth/client/docker_config.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "base/unique_fd.h"

namespace berth::cli {
namespace {

constexpr std::size_t kMaxAnswer = 64U << 10;

}  // namespace

std::string docker_config_path() {
  if (const char* directory = std::getenv("DOCKER_CONFIG"); directory && *directory)
    return std::string(directory) + "/config.json";
  const char* home = std::getenv("HOME");
  return std::string(home ? home : "") + "/.docker/config.json";
}

Result<std::string> read_docker_config() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
      std::fopen(docker_config_path().c_str(), "re"), std::fclose);
  std::string text;
  if (!file)
    return errno == ENOENT ? Result<std::string>(text) : fail_errno("{}", docker_config_path());
  std::array<char, 4096> piece;
  for (std::size_t count = 0; text.size() <= kMaxJsonBytes &&
                              (count = std::fread(piece.data(), 1, piece.size(), file.get())) > 0;)
    text.append(piece.data(), count);
  return text;
}

Result<std::string> helper_for(const Json& config, const std::string& key) {
  std::string helper = TRY(get_string(config, "credsStore"));
  if (const Json* helpers = find_member(config, "credHelpers"))
    helper = TRY(get_string(*helpers, key, helper));
  if (helper.find('/') != std::string::npos)
    return fail(ErrorKind::kInvalid, "'{}' is not the name of a credential helper", helper);
  return helper;
}

Result<std::string> run_helper(const std::string& helper, std::string verb,
                               const std::string& input) {
  std::string program = "docker-credential-" + helper;
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
  // What it is told is far below a pipe's room; a helper that does not read it has ended, or will.
  ::signal(SIGPIPE, SIG_IGN);
  (void)!::write(in_write.get(), input.data(), input.size());
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

}  // namespace berth::cli
