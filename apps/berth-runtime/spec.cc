// berth-runtime spec [--bundle DIR] [--seccomp]: writes a config.json to start from.
#include <fcntl.h>
#include <unistd.h>

#include "berth-runtime/launch.h"
#include "container/seccomp/default_profile.h"
#include "sys/file.h"

namespace berth::runtime {

Result<int> spec(const Globals&, Words words) {
  std::string bundle;
  bool seccomp = false;
  Flags flags;
  flags.add("bundle", 'b', &bundle);
  flags.add("seccomp", 0, &seccomp);
  if (!TRY(flags.parse(words)).empty()) return fail(ErrorKind::kInvalid, "spec takes no arguments");
  const std::string path = bundle.empty() ? "config.json" : bundle + "/config.json";
  auto file = sys::open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0666);
  if (!file.ok() && file.error().os_errno() == EEXIST)
    return fail(ErrorKind::kConflict, "File {} exists. Remove it first", path);
  container::Spec spec = container::default_spec();
  // What the engine gives its workloads; runc's own spec has none.
  if (seccomp) {
    const auto& capabilities = spec.process.capabilities;
    spec.linux_.seccomp = container::default_seccomp_profile(
        capabilities ? capabilities->bounding : std::vector<std::string>());
  }
  TRY(sys::write_all(TRY(std::move(file)).get(), to_pretty_json(spec)));
  return 0;
}

}  // namespace berth::runtime
