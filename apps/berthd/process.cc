#include "berthd/process.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "sys/file.h"

namespace berth::daemon {
namespace {

// A server with thousands of clients and workloads; more would only make loops over all descriptors
// slow.
constexpr rlim_t kDescriptors = 65536;

void do_nothing(int) {}

}  // namespace

void tune_memory() {
  // Each arena keeps what its threads once needed; two serve the loop and the pool.
  ::mallopt(M_ARENA_MAX, 2);
  // Freed memory goes back to the kernel early: the daemon is idle most of its life.
  ::mallopt(M_TRIM_THRESHOLD, 128 << 10);
  ::mallopt(M_MMAP_THRESHOLD, 64 << 10);
}

void name_proxy() {
  if (const char* proxy = std::getenv("HTTP_PROXY")) ::setenv("http_proxy", proxy, 0);
}

void release_unused_memory() {
  ::malloc_trim(0);
}

Result<void> arrange_signals() {
  struct sigaction action{};
  ::sigemptyset(&action.sa_mask);
  action.sa_handler = SIG_DFL;
  action.sa_flags = SA_NOCLDWAIT;
  if (::sigaction(SIGCHLD, &action, nullptr) != 0) return fail_errno("set the action of SIGCHLD");
  // A handler, unlike SIG_IGN, ends with exec.
  action.sa_handler = do_nothing;
  action.sa_flags = SA_RESTART;
  if (::sigaction(SIGPIPE, &action, nullptr) != 0) return fail_errno("set the action of SIGPIPE");
  return {};
}

Result<void> raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return fail_errno("read the limit of open files");
  if (limit.rlim_cur >= kDescriptors) return {};
  limit.rlim_cur = std::min(kDescriptors, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return fail_errno("raise the limit of open files");
  return {};
}

Result<void> notify_ready() {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr) return {};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = std::strlen(path);
  if (length < 2 || length >= sizeof address.sun_path)
    return fail(ErrorKind::kInvalid, "NOTIFY_SOCKET is no path of a socket: {}", path);
  std::memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';  // an abstract one
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return fail_errno("make a socket");
  constexpr std::string_view kReady = "READY=1";
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  if (::sendto(socket.get(), kReady.data(), kReady.size(), MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&address), size) < 0)
    return fail_errno("tell the supervisor at {}", path);
  return {};
}

Result<PidFile> PidFile::write(std::string path) {
  const UniqueFd file = TRY(sys::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
  TRY(sys::write_all(file.get(), fmt::format("{}\n", ::getpid())));
  return PidFile(std::move(path));
}

PidFile::~PidFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

}  // namespace berth::daemon
