#include "sys/event.h"

#include <array>
#include <cerrno>
#include <utility>

namespace berth::sys {
namespace {

// Events taken from the kernel at once; further ones come with the next call.
constexpr int kBatch = 16;

}  // namespace

Result<EventLoop> EventLoop::create() {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return fail_errno("epoll_create1");
  return EventLoop(std::move(epoll));
}

Result<void> EventLoop::watch(int fd, std::uint32_t events, Handler handler) {
  const auto [it, added] = watches_.try_emplace(fd);
  Watch& watch = it->second;
  if (added) watch.generation = ++last_generation_;
  watch.handler = std::make_shared<Handler>(std::move(handler));
  auto applied = apply(fd, watch, events);
  if (!applied.ok() && added) watches_.erase(it);
  return applied;
}

Result<void> EventLoop::set_events(int fd, std::uint32_t events) {
  const auto it = watches_.find(fd);
  if (it == watches_.end()) return fail(ErrorKind::kInvalid, "descriptor {} is not watched", fd);
  return apply(fd, it->second, events);
}

void EventLoop::forget(int fd) {
  const auto it = watches_.find(fd);
  if (it == watches_.end()) return;
  if (it->second.events != 0) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  watches_.erase(it);
}

Result<void> EventLoop::apply(int fd, Watch& watch, std::uint32_t events) {
  if (events == watch.events) return {};
  int operation = EPOLL_CTL_MOD;
  if (watch.events == 0) operation = EPOLL_CTL_ADD;
  if (events == 0) operation = EPOLL_CTL_DEL;
  epoll_event event{};
  event.events = events;
  event.data.u64 = (std::uint64_t{watch.generation} << 32U) | static_cast<std::uint32_t>(fd);
  if (::epoll_ctl(epoll_.get(), operation, fd, &event) != 0)
    return fail_errno("epoll_ctl of descriptor {}", fd);
  watch.events = events;
  return {};
}

Result<bool> EventLoop::run_once(std::optional<std::chrono::milliseconds> timeout) {
  std::array<epoll_event, kBatch> batch{};
  const int wait = timeout ? static_cast<int>(timeout->count()) : -1;
  const int count = ::epoll_wait(epoll_.get(), batch.data(), kBatch, wait);
  if (count < 0) {
    if (errno == EINTR) return true;
    return fail_errno("epoll_wait");
  }
  for (int i = 0; i < count; ++i) {
    const epoll_event event = batch[static_cast<std::size_t>(i)];
    const auto it = watches_.find(static_cast<int>(event.data.u64 & 0xffffffffU));
    if (it == watches_.end() || it->second.generation != event.data.u64 >> 32U) continue;
    // An earlier handler of this batch may have asked for something else meanwhile.
    const std::uint32_t wanted = event.events & (it->second.events | EPOLLHUP | EPOLLERR);
    if (it->second.events == 0 || wanted == 0) continue;
    const std::shared_ptr<Handler> handler = it->second.handler;
    (*handler)(wanted);
  }
  return count > 0;
}

}  // namespace berth::sys
