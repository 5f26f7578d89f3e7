#include "holder/streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/log.h"
#include "sys/socket.h"

namespace berth::holder {
namespace {

// Taken from the workload, or from a client, at once.
constexpr std::size_t kOutputChunk = 32U << 10;
constexpr std::size_t kInputChunk = 16U << 10;

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("pipe2");
  return Pipe{.read = UniqueFd(ends[0]), .write = UniqueFd(ends[1])};
}

}  // namespace

Streams::~Streams() {
  for (const Source& source : sources_) loop_.forget(source.fd.get());
  loop_.forget(stdin_.get());
  for (const AttachedClient& client : clients_) loop_.forget(client.fd());
}

Result<Streams::WorkloadEnds> Streams::prepare(Options options, std::optional<LogWriter> log) {
  options_ = options;
  WorkloadEnds ends;
  if (!options.tty) {
    Pipe out = TRY(make_pipe());
    Pipe err = TRY(make_pipe());
    sources_[0] = {.fd = std::move(out.read), .stream = StreamKind::kStdout};
    sources_[1] = {.fd = std::move(err.read), .stream = StreamKind::kStderr};
    ends.stdout_write = std::move(out.write);
    ends.stderr_write = std::move(err.write);
    if (options.open_stdin) {
      Pipe in = TRY(make_pipe());
      stdin_ = std::move(in.write);
      ends.stdin_read = std::move(in.read);
    }
  }
  log_ = std::move(log);
  return ends;
}

Result<void> Streams::begin(UniqueFd console) {
  if (options_.tty) sources_[0] = {.fd = std::move(console), .stream = StreamKind::kStdout};
  for (Source& source : sources_) {
    if (!source.fd.valid()) continue;
    TRY(sys::set_nonblocking(source.fd.get(), true));
    TRY(loop_.watch(source.fd.get(), 0,
                    [this, &source](std::uint32_t events) { on_source(source, events); }));
  }
  if (stdin_.valid()) {
    TRY(sys::set_nonblocking(stdin_.get(), true));
    TRY(loop_.watch(stdin_.get(), 0, [this](std::uint32_t) {
      flush_stdin();
      update();
    }));
  }
  begun_ = true;
  for (Waiting& waiting : std::exchange(waiting_, {})) admit(std::move(waiting));
  update();
  return {};
}

Result<void> Streams::attach(UniqueFd socket, Attach request) {
  if (client_count() >= kMaxClients)
    return fail(ErrorKind::kExhausted, "{} clients are attached already", kMaxClients);
  std::string keys = TRY(parse_detach_keys(request.detach_keys));
  Waiting waiting{
      .socket = std::move(socket), .request = std::move(request), .detach_keys = std::move(keys)};
  if (!begun_) {
    waiting_.push_back(std::move(waiting));
    return {};
  }
  admit(std::move(waiting));
  update();
  return {};
}

void Streams::admit(Waiting waiting) {
  const bool gives_input = waiting.request.stdin_stream && options_.open_stdin;
  clients_.emplace_back(
      std::move(waiting.socket),
      AttachedClient::Options{.stdin_stream = gives_input,
                              .stdout_stream = waiting.request.stdout_stream,
                              .stderr_stream = waiting.request.stderr_stream,
                              .framed = !options_.tty,
                              .detach_keys = options_.tty ? std::move(waiting.detach_keys) : ""});
  const auto client = std::prev(clients_.end());
  auto watched = loop_.watch(client->fd(), 0,
                             [this, client](std::uint32_t events) { on_client(client, events); });
  if (!watched.ok()) {
    // Not a socket, for all the engine says.
    log::warning("attach a client: {}", watched.error().message());
    clients_.erase(client);
    return;
  }
  if (gives_input) feed_stdin(waiting.request.early_input);
}

// ---- output

void Streams::on_source(Source& source, std::uint32_t events) {
  if ((events & EPOLLOUT) != 0 || (is_held_back(source) && (events & EPOLLHUP) != 0)) flush_stdin();
  if (source.fd.valid() && !is_held_back(source)) read_source(source);
  update();
}

bool Streams::read_source(Source& source) {
  std::array<char, kOutputChunk> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  const ssize_t n = ::read(source.fd.get(), buffer.data(), buffer.size());
  if (n < 0 && errno == EINTR) return true;
  if (n < 0 && errno == EAGAIN) return false;
  if (n <= 0) {
    // A terminal's end is EIO, once nobody has its other side open (pty(7)).
    end_source(source);
    return false;
  }
  const std::string_view output(buffer.data(), static_cast<std::size_t>(n));
  if (log_) log_->write(source.stream, output, now());
  for (AttachedClient& client : clients_) {
    if (client.wants(source.stream)) client.send(source.stream, output);
  }
  return true;
}

void Streams::end_source(Source& source) {
  loop_.forget(source.fd.get());
  source.fd.reset();
  if (options_.tty) drop_stdin();
}

bool Streams::is_held_back(const Source& source) const {
  return std::ranges::any_of(clients_, [&](const AttachedClient& client) {
    return client.wants(source.stream) && client.is_full();
  });
}

void Streams::drain() {
  for (Source& source : sources_) {
    while (source.fd.valid() && read_source(source)) {
    }
    if (source.fd.valid()) end_source(source);
  }
  drop_stdin();
  if (log_) log_->finish(now());
  update();
}

// ---- input

void Streams::on_client(Clients::iterator client, std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) client->flush();
  const bool reads = client->input_open() && (stdin_backlog_.empty() || client->is_finishing());
  if (reads && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
    std::array<char, kInputChunk> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    AttachedClient::Input input = client->receive(buffer);
    feed_stdin(input.bytes);
    if (input.detached) client->finish();
    if (input.ended && !client->is_finishing()) on_input_ended(*client);
  } else if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
    client->lose();
  }
  update();
}

void Streams::on_input_ended(AttachedClient& client) {
  if (options_.stdin_once && !options_.tty) {
    end_stdin();
  } else {
    client.finish();
  }
}

int Streams::stdin_fd() const {
  if (options_.tty) return options_.open_stdin ? sources_[0].fd.get() : -1;
  return stdin_.get();
}

void Streams::feed_stdin(std::string_view input) {
  if (stdin_fd() < 0 || stdin_closing_) return;
  stdin_backlog_ += input;
  flush_stdin();
}

void Streams::flush_stdin() {
  std::size_t done = 0;
  while (done < stdin_backlog_.size()) {
    const ssize_t n =
        ::write(stdin_fd(), stdin_backlog_.data() + done, stdin_backlog_.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0) return drop_stdin();  // the workload has closed its side: what comes is thrown away
    done += static_cast<std::size_t>(n);
  }
  stdin_backlog_.erase(0, done);
  if (stdin_backlog_.empty() && stdin_closing_) drop_stdin();
}

void Streams::end_stdin() {
  // A terminal has no end of input but the one that is typed.
  if (options_.tty) return;
  stdin_closing_ = true;
  flush_stdin();
}

void Streams::close_stdin() {
  end_stdin();
  update();
}

void Streams::drop_stdin() {
  stdin_backlog_ = {};
  loop_.forget(stdin_.get());
  stdin_.reset();
}

Result<void> Streams::resize(sys::WindowSize size) {
  if (!options_.tty || !sources_[0].fd.valid())
    return fail(ErrorKind::kInvalid, "the workload has no terminal");
  return sys::set_window_size(sources_[0].fd.get(), size);
}

// ---- the end, and what the loop is asked for

void Streams::finish_clients() {
  for (AttachedClient& client : clients_) client.finish();
  waiting_.clear();
  update();
}

bool Streams::has_backlog() const {
  return std::ranges::any_of(clients_, [](const AttachedClient& c) { return c.has_backlog(); });
}

std::uint32_t Streams::wanted_of_source(const Source& source) const {
  std::uint32_t events = is_held_back(source) ? 0U : EPOLLIN;
  if (options_.tty && !stdin_backlog_.empty()) events |= EPOLLOUT;
  return events;
}

std::uint32_t Streams::wanted_of_client(const AttachedClient& client) const {
  std::uint32_t events = client.has_backlog() ? EPOLLOUT : 0U;
  if (!client.input_open()) return events | EPOLLHUP;
  // Not even hang-ups while the workload takes no input: what the client has sent comes first.
  if (stdin_backlog_.empty() || client.is_finishing()) events |= EPOLLIN;
  return events;
}

void Streams::update() {
  if (!begun_) return;
  for (auto it = clients_.begin(); it != clients_.end();) {
    if (it->is_done()) {
      loop_.forget(it->fd());
      it = clients_.erase(it);
    } else {
      ++it;
    }
  }
  const auto ask = [this](int fd, std::uint32_t events) {
    if (fd < 0) return;
    if (const auto asked = loop_.set_events(fd, events); !asked.ok())
      log::warning("streams: {}", asked.error().message());
  };
  for (const Source& source : sources_) ask(source.fd.get(), wanted_of_source(source));
  ask(stdin_.get(), stdin_backlog_.empty() ? 0U : EPOLLOUT);
  for (const AttachedClient& client : clients_) ask(client.fd(), wanted_of_client(client));
}

}  // namespace berth::holder
