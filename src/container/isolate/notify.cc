#include "container/isolate/notify.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>

#include "container/spec/json_writer.h"

namespace berth::container {
namespace {

bool asks_agent(const SeccompProfile& profile) {
  return profile.default_action == SeccompAction::kNotify ||
         std::ranges::find(profile.syscalls, SeccompAction::kNotify, &SeccompRule::action) !=
             profile.syscalls.end();
}

bool lets_through(const SeccompProgram& program, std::uint32_t call,
                  const std::uint64_t (&arguments)[6]) {
  const std::uint32_t answer = run_filter(program.filter, AUDIT_ARCH_X86_64, call, arguments);
  return answer == SECCOMP_RET_ALLOW || answer == SECCOMP_RET_LOG;
}

Result<UniqueFd> connect_to(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail(ErrorKind::kInvalid, "linux.seccomp.listenerPath '{}' is over {} bytes", path,
                sizeof address.sun_path - 1);
  path.copy(address.sun_path, path.size());
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return fail_errno("cannot make a socket");
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail_errno("cannot reach the seccomp agent at linux.seccomp.listenerPath '{}'", path)
        .with_kind(ErrorKind::kInvalid);
  return socket;
}

}  // namespace

void NotifyPlan::close() {
  socket.reset();
  state.reset();
}

Result<NotifyPlan> plan_notify(const SeccompProfile& profile, const SeccompProgram& program) {
  NotifyPlan plan;
  if (!asks_agent(profile)) return plan;
  if (!lets_through(program, SYS_sendmsg, {0, 0, MSG_NOSIGNAL}))
    return fail(ErrorKind::kUnsupported,
                "linux.seccomp: a profile with SCMP_ACT_NOTIFY must allow sendmsg, by which the "
                "agent is given its listener");
  plan.may_close = lets_through(program, SYS_close, {});
  plan.metadata = profile.listener_metadata;
  plan.socket = TRY(connect_to(profile.listener_path));
  plan.state.reset(::memfd_create("seccomp-state", MFD_CLOEXEC));
  if (!plan.state.valid()) return fail_errno("cannot make a memfd");
  return plan;
}

Result<void> write_process_state(const NotifyPlan& plan, pid_t pid, const std::string& state) {
  if (!plan.is_wanted()) return {};
  JsonWriter out;
  out.begin_object();
  out.key("ociVersion");
  out.write(kOciVersion);
  out.key("fds");
  out.begin_array();
  out.write(std::string_view("seccompFd"));
  out.end_array();
  out.key("pid");
  out.write(pid);
  if (!plan.metadata.empty()) {
    out.key("metadata");
    out.write(std::string_view(plan.metadata));
  }
  out.end_object();
  std::string text = out.take();
  text.insert(text.size() - 1, ",\"state\":" + state);
  if (::pwrite(plan.state.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
    return fail_errno("cannot write the container process state");
  return {};
}

}  // namespace berth::container
