#include "container/runtime/bundle_testing.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/strong_id.h"

namespace berth::container {
namespace {

constexpr const char* kBusybox = "/bin/busybox";

std::string read_to_end(int fd) {
  std::string text;
  char buffer[4096];
  for (ssize_t count = 0; (count = ::read(fd, buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(count));
  return text;
}

}  // namespace

Bundle::Bundle() : id_("test-" + random_hex(12)) {
  namespace fs = std::filesystem;
  for (const char* directory : {"bin", "etc", "tmp", "proc", "sys", "dev"})
    fs::create_directories(in_root(directory));
  fs::copy_file(kBusybox, in_root("bin/busybox"));
  for (const char* name :
       {"sh",    "cat",     "ls",     "id",    "mount", "hostname", "grep",  "test", "echo", "true",
        "false", "mkdir",   "chroot", "mknod", "stat",  "readlink", "sleep", "kill", "tty",  "head",
        "wc",    "unshare", "touch",  "env",   "pwd",   "stty",     "ip",    "ps"})
    fs::create_symlink("busybox", in_root(std::string("bin/") + name));
}

Spec Bundle::shell(const std::string& script) {
  Spec spec = default_spec();
  spec.process.terminal = false;
  spec.process.args = {"sh", "-c", script};
  spec.process.env = {"PATH=/bin"};
  spec.root.readonly = false;
  return spec;
}

CreateOptions Bundle::options() const {
  CreateOptions options;
  options.id = id_;
  options.bundle = path();
  return options;
}

Result<RunOutcome> Bundle::run(const Spec& spec, CreateOptions options) const {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("pipe");
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  if (options.stdio[1] < 0) options.stdio[1] = options.stdio[2] = writing.get();
  auto container = TRY(Container::create(spec, options));
  writing.reset();
  if (auto started = container->start(); !started.ok()) {
    TRY(container->destroy());
    return std::move(started).error();
  }
  RunOutcome outcome;
  outcome.output = read_to_end(reading.get());
  outcome.status = TRY(sys::wait_process(container->pidfd()));
  TRY(container->destroy());
  return outcome;
}

std::string Bundle::output_of(const Spec& spec) const {
  auto outcome = run(spec);
  if (!outcome.ok()) return "error: " + outcome.error().message();
  while (outcome->output.ends_with('\n')) outcome->output.pop_back();
  if (outcome->status.shell_code() != 0)
    return fmt::format("status {}: {}", outcome->status.shell_code(), outcome->output);
  return outcome->output;
}

std::string reason_to_skip() {
  if (::geteuid() != 0) return "needs root";
  if (::access(kBusybox, X_OK) != 0) return "needs Debian's busybox-static at /bin/busybox";
  return {};
}

}  // namespace berth::container
