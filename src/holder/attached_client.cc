#include "holder/attached_client.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

#include "sys/socket.h"

namespace berth::holder {

AttachedClient::AttachedClient(UniqueFd socket, Options options)
    : socket_(std::move(socket)), options_(std::move(options)), input_open_(options_.stdin_stream) {
  if (!options_.detach_keys.empty()) detach_.emplace(options_.detach_keys);
  // A remote client whose host has gone must not hold output back for ever. No matter for a local
  // one, which does not know the option.
  const int on = 1;
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

bool AttachedClient::wants(StreamKind stream) const {
  if (gone_ || finishing_) return false;
  return stream == StreamKind::kStderr ? options_.stderr_stream : options_.stdout_stream;
}

void AttachedClient::send(StreamKind stream, std::string_view output) {
  if (gone_ || output.empty()) return;
  const auto header = frame_header(stream, output.size());
  const std::array<std::string_view, 2> parts = {
      options_.framed ? std::string_view(header.data(), header.size()) : std::string_view(),
      output};
  std::size_t sent = 0;
  if (!has_backlog()) {
    const auto result = sys::send_some(socket_.get(), parts);
    if (!result.ok()) return lose();
    sent = *result;
  }
  for (const std::string_view part : parts) {
    const std::size_t of_part = std::min(sent, part.size());
    queue(part.substr(of_part));
    sent -= of_part;
  }
}

void AttachedClient::flush() {
  if (gone_) return;
  while (has_backlog()) {
    const std::array<std::string_view, 1> rest = {std::string_view(backlog_).substr(sent_)};
    const auto result = sys::send_some(socket_.get(), rest);
    if (!result.ok()) return lose();
    if (*result == 0) break;
    sent_ += *result;
  }
  // The memory of a backlog is given back with it; moving what is left is worth it now and then.
  if (!has_backlog()) {
    backlog_ = {};
    sent_ = 0;
  } else if (sent_ >= kMaxClientBacklog / 2) {
    backlog_.erase(0, std::exchange(sent_, 0));
  }
  shut_down_when_flushed();
}

AttachedClient::Input AttachedClient::receive(std::span<char> buffer) {
  Input input;
  const auto received = sys::receive_some(socket_.get(), buffer);
  if (!received.ok() || (received->has_value() && **received == 0)) {
    if (!received.ok()) lose();
    input_open_ = false;
    input.ended = true;
    return input;
  }
  if (!received->has_value() || finishing_) return input;
  const std::string_view typed(buffer.data(), **received);
  if (!detach_) {
    input.bytes = typed;
    return input;
  }
  DetachMatcher::Fed fed = detach_->feed(typed);
  input.bytes = std::move(fed.input);
  input.detached = fed.detached;
  if (fed.detached) input_open_ = false;
  return input;
}

void AttachedClient::finish() {
  finishing_ = true;
  shut_down_when_flushed();
}

bool AttachedClient::is_done() const {
  // One that has only stopped to listen may still have sent input that is to be read.
  if (gone_) return finishing_ || !input_open_;
  return finishing_ && shut_down_ && !input_open_;
}

void AttachedClient::lose() {
  gone_ = true;
  backlog_ = {};
  sent_ = 0;
}

void AttachedClient::shut_down_when_flushed() {
  if (!finishing_ || shut_down_ || gone_ || has_backlog()) return;
  ::shutdown(socket_.get(), SHUT_WR);
  shut_down_ = true;
  // Closing a socket with unread input would reset the connection, and with it output that is still
  // on its way. What a client that gives no input has sent all the same is thrown away now; one
  // that does give input is waited for.
  if (input_open_) return;
  std::array<char, 4096> buffer{};
  for (;;) {
    const auto received = sys::receive_some(socket_.get(), buffer);
    if (!received.ok() || !received->has_value() || **received == 0) return;
  }
}

}  // namespace berth::holder
