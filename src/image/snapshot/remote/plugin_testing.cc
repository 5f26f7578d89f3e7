#include "image/snapshot/remote/plugin_testing.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/unique_fd.h"
#include "image/snapshot/volume_testing.h"

namespace berth::image {

Result<std::unique_ptr<PluginProcess>> PluginProcess::start(
    const std::string& socket, const std::vector<std::string>& faults) {
  if (!has_program("python3")) return fail(ErrorKind::kUnsupported, "python3 is not installed");
  std::vector<std::string> words = {"python3", "-B", BERTH_SOURCE_DIR "/tests/util/graph_plugin.py",
                                    socket};
  for (const std::string& fault : faults) {
    words.emplace_back("--fault");
    words.push_back(fault);
  }
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("make a pipe");
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, writing.get(), STDOUT_FILENO);
  ::unlink(socket.c_str());
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, "python3", &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return Error::from_errno(error, "start python3");
  std::unique_ptr<PluginProcess> plugin(new PluginProcess(pid));
  writing.reset();
  for (char letter = 0; letter != '\n';) {
    if (::read(reading.get(), &letter, 1) != 1)
      return fail(ErrorKind::kInternal, "the plugin did not start");
  }
  return plugin;
}

PluginProcess::~PluginProcess() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

}  // namespace berth::image
