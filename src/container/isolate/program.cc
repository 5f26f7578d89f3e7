#include "container/isolate/program.h"

#include <sys/stat.h>

namespace berth::container {
namespace {

// Each script puts its interpreter and one argument before what is there.
constexpr std::size_t kScriptWords = 2 * kMaxScripts;

}  // namespace

Result<OwnFile> own_file() {
  struct stat own = {};
  if (::stat("/proc/self/exe", &own) != 0)
    return fail_errno("cannot find the own program at /proc/self/exe");
  return OwnFile{own.st_dev, own.st_ino};
}

void Program::prepare(const std::vector<char*>& arguments) {
  words.assign(kScriptWords, nullptr);
  words.insert(words.end(), arguments.begin(), arguments.end());
  if (words.back() != nullptr) words.push_back(nullptr);
  called = words[kScriptWords];
  reset();
}

void Program::reset() {
  first = kScriptWords;
  words[kScriptWords] = called;
}

}  // namespace berth::container
