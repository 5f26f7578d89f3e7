// Program: the file an exec in the container will run, found and checked first. execveat(2),
// openat2(2), elf(5), script lines: execve(2).
//
// Until it execs, init is a copy of the runtime's own program, and /proc/self/exe leads to that
// file on the host. What is executed must not be that file (CVE-2019-5736), neither by a link of
// procfs, nor as itself, nor as an interpreter; and nobody may change the answer between the check
// and the exec. So links at the end of the path are followed here, and the exec follows none; and
// a script's interpreter is what is executed, as the kernel would, but checked. An ELF file's
// interpreter is checked too, but the kernel looks its path up once more: whoever wins that race
// has the runtime's code mapped in his own process, not a handle to its file.
#pragma once

#include <limits.h>
#include <sys/types.h>

#include <cstddef>
#include <vector>

#include "base/result.h"

namespace berth::container {

/// The kernel's own limit on scripts run by scripts: fs/exec.c.
inline constexpr std::size_t kMaxScripts = 5;
/// What the kernel reads of a script: BINPRM_BUF_SIZE.
inline constexpr std::size_t kScriptLine = 256;

/// The runtime's own file.
struct OwnFile {
  dev_t device = 0;
  ino_t inode = 0;
};
Result<OwnFile> own_file();

/// What was found, with all the room it takes: the child has no heap.
struct Program {
  /// In the parent, with the arguments it will get; they are borrowed.
  void prepare(const std::vector<char*>& arguments);
  void reset();
  char* const* argv() const { return words.data() + first; }

  char path[PATH_MAX] = {};  // to execute: its last part is no link
  std::vector<char*> words;  // room for the words of scripts, then the arguments
  std::size_t first = 0;     // where argv begins in it
  char* called = nullptr;    // the first argument, which the name of a script replaces
  char lines[kMaxScripts][kScriptLine + 1] = {};  // the first lines of scripts
};

// Async-signal-safe.
/// Finds what executing `path` would run and checks it. 0, or errno as execve would have it; EPERM:
/// it is the runtime itself.
int find_program_file(const char* path, const OwnFile& own, Program& program);
/// Executes what was found; returns only on failure, with errno. Without execveat(2) a link put
/// there meanwhile would be followed.
void execute_program(const Program& program, char* const* environment, bool may_execveat);

}  // namespace berth::container
