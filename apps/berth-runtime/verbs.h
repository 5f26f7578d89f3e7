// The verbs of berth-runtime, one file each, and what the command line said before the verb. A verb
// returns the exit code.
#pragma once

#include <span>
#include <string>

#include "base/result.h"

namespace berth::runtime {

std::string default_root();

struct Globals {
  /// Holds one directory per container. A user without privileges has one of its own below
  /// $XDG_RUNTIME_DIR.
  std::string root = default_root();
  bool systemd_cgroup = false;
};

using Words = std::span<const std::string>;

Result<int> create(const Globals& globals, Words words);
Result<int> start(const Globals& globals, Words words);
Result<int> run(const Globals& globals, Words words);
Result<int> state(const Globals& globals, Words words);
Result<int> kill(const Globals& globals, Words words);
Result<int> remove(const Globals& globals, Words words);  // `delete`, which is a word of C++
Result<int> exec(const Globals& globals, Words words);
Result<int> spec(const Globals& globals, Words words);
Result<int> list(const Globals& globals, Words words);
Result<int> ps(const Globals& globals, Words words);
Result<int> pause(const Globals& globals, Words words);
Result<int> resume(const Globals& globals, Words words);
Result<int> update(const Globals& globals, Words words);
Result<int> events(const Globals& globals, Words words);
Result<int> checkpoint(const Globals& globals, Words words);
Result<int> restore(const Globals& globals, Words words);
Result<int> features(const Globals& globals, Words words);

}  // namespace berth::runtime
