// berth-runtime: OCI runtime with runc's command line. Static and lean: nothing runs before main()
// and little in it.
#include <signal.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "berth-runtime/exit_code.h"
#include "berth-runtime/flags.h"
#include "berth-runtime/help.h"
#include "berth-runtime/report.h"
#include "berth-runtime/verbs.h"
#include "container/runtime/standard_streams.h"
#include "container/spec/spec.h"

namespace berth::runtime {
namespace {

struct VerbRow {
  std::string_view name;
  Result<int> (*run)(const Globals&, Words);
  std::string_view help;
};

constexpr auto kVerbs = std::to_array<VerbRow>({
    {"create", create,
     "[-b DIR] [--pid-file FILE] [--console-socket PATH] [--preserve-fds N] ID   make a container"},
    {"start", start, "ID                              let a created container run"},
    {"run", run, "[-d] [--keep] [flags of create] ID   create, start, wait and delete"},
    {"state", state, "ID                              print the container's state as JSON"},
    {"kill", kill, "[--all] ID [SIGNAL]             send a signal, TERM if none is given"},
    {"delete", remove, "[--force] ID...                 remove what is left of containers"},
    {"exec", exec, "[flags] ID COMMAND [ARG...]    run a further process in a container"},
    {"list", list, "[--format table|json] [-q]      the containers below --root"},
    {"ps", ps, "[--format table|json] ID [OPTIONS OF PS]   the processes of a container"},
    {"pause", pause, "ID                              stop every process where it is"},
    {"resume", resume, "ID                              let a paused container run again"},
    {"update", update, "[LIMITS] [-r FILE|-] ID         change limits of a container that lives"},
    {"events", events, "[--stats] [--interval TIME] ID  what it uses, and when memory runs out"},
    {"checkpoint", checkpoint, "[flags] ID             write a container down, by way of criu"},
    {"restore", restore, "[-d] [-b DIR] [flags] ID     make it again of what was written down"},
    {"spec", spec, "[-b DIR] [--rootless] [--seccomp]   write a config.json to start from"},
    {"features", features, "                                what this runtime can do, as JSON"},
});

void print_help() {
  fmt::print(
      "usage: berth-runtime [--root DIR] [--log FILE] [--log-format text|json] [--debug] VERB "
      "...\n\n");
  for (const VerbRow& verb : kVerbs) fmt::print("  {:<10} {}\n", verb.name, verb.help);
  fmt::print("\n");
  print_flags("");
}

Result<int> run_verb(const VerbRow& verb, const Globals& globals, Words words) {
  if (!asks_for_help(verb.name, words)) return verb.run(globals, words);
  fmt::print("usage: berth-runtime {} {}\n", verb.name, verb.help);
  print_flags(verb.name);
  return 0;
}

Result<int> dispatch(Words words) {
  Globals globals;
  LogOptions log;
  bool help = false;
  bool version = false;
  std::string rootless;  // accepted for callers of runc; what root may do is found out by doing it
  Flags flags;
  flags.add("root", 0, &globals.root);
  flags.add("log", 0, &log.file);
  flags.add("log-format", 0, &log.format);
  flags.add("debug", 0, &log.debug);
  flags.add("systemd-cgroup", 0, &globals.systemd_cgroup);
  flags.add("rootless", 0, &rootless);
  flags.add("help", 'h', &help);
  flags.add("version", 'v', &version);
  const auto rest = TRY(flags.parse(words, true));
  if (version) {
    fmt::print("berth-runtime version {}\nspec: {}\n", BERTH_VERSION, container::kOciVersion);
    return 0;
  }
  if (help || rest.empty()) {
    print_help();
    return help ? 0 : kExitFailure;
  }
  TRY(open_log(log));
  for (const VerbRow& verb : kVerbs)
    if (verb.name == rest[0]) return run_verb(verb, globals, Words(rest).subspan(1));
  return fail(ErrorKind::kInvalid, "unknown verb '{}': see berth-runtime --help", rest[0]);
}

}  // namespace
}  // namespace berth::runtime

int main(int argc, char** argv) {
  berth::container::open_missing_standard_streams();
  ::signal(SIGCHLD, SIG_DFL);  // if it is ignored, a child's end cannot be waited for
  const std::vector<std::string> words(argv + 1, argv + argc);
  auto code = berth::runtime::dispatch(words);
  if (code.ok()) return *code;
  berth::runtime::report(code.error());
  return berth::runtime::kExitFailure;
}
