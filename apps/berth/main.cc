// berth: the command line of the engine: a client of the Docker Engine API with docker's grammar,
// texts and exit codes.
#include <span>
#include <string>
#include <vector>

#include "berth/command/dispatch.h"

int main(int argc, char** argv) {
  const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
  const std::vector<std::string> words(arguments.begin() + (argc > 0 ? 1 : 0), arguments.end());
  return berth::cli::run_command_line(words);
}
