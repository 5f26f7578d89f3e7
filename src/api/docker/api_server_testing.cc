#include "api/docker/api_server_testing.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace berth::docker {
namespace {

template <typename T>
T must(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.error().message());
  return std::move(result).value();
}

std::string make_directory() {
  std::string path = "/tmp/berth-api-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp");
  return path;
}

}  // namespace

ApiServer::ApiServer()
    : directory_(make_directory()),
      socket_path_(directory_ + "/api.sock"),
      work_(boost::asio::make_work_guard(loop_)) {
  engine_ = std::make_unique<FakeEngine>(loop_.get_executor());
  api_ = std::make_unique<Api>(*engine_, "1.2.3");
  server_ = std::make_unique<http::Server>(
      loop_.get_executor(), [this](http::Exchange& exchange) { return api_->handle(exchange); });
  auto listener = http::Listener::open(must(http::parse_address("unix://" + socket_path_)));
  if (!listener.ok()) throw std::runtime_error(listener.error().message());
  const auto served = server_->serve(std::move(listener).value());
  if (!served.ok()) throw std::runtime_error(served.error().message());
  thread_ = std::thread([this] { loop_.run(); });
}

ApiServer::~ApiServer() {
  boost::asio::post(loop_, [this] { server_->stop([this] { work_.reset(); }); });
  thread_.join();
  ::rmdir(directory_.c_str());
}

void ApiServer::await(const std::function<bool(FakeEngine&)>& condition) {
  while (!on_loop(condition)) std::this_thread::yield();
}

Json Answer::json() const {
  return must(parse_json(body));
}

std::string Answer::field(std::string_view name) const {
  const std::size_t begin = head.find(fmt::format("\r\n{}: ", name));
  if (begin == std::string::npos) return {};
  const std::size_t value = begin + name.size() + 4;
  return head.substr(value, head.find("\r\n", value) - value);
}

Client::Client(const ApiServer& server)
    : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, server.socket_path().c_str(), sizeof address.sun_path - 1);
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("connect");
}

void Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) throw std::runtime_error("send");
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::string Client::receive_some() {
  if (!buffer_.empty()) return std::exchange(buffer_, {});
  std::array<char, 4096> bytes;
  const ssize_t count = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
  return count > 0 ? std::string(bytes.data(), static_cast<std::size_t>(count)) : std::string();
}

bool Client::has_input() const {
  pollfd ready{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  return !buffer_.empty() || ::poll(&ready, 1, 0) > 0;
}

std::string Client::receive_exactly(std::size_t count) {
  std::string bytes;
  while (bytes.size() < count) {
    const std::string some = receive_some();
    if (some.empty()) throw std::runtime_error("the server closed the connection");
    bytes += some;
  }
  buffer_ = bytes.substr(count);
  bytes.resize(count);
  return bytes;
}

std::string Client::receive_head() {
  std::string text;
  for (;;) {
    const std::size_t end = text.find("\r\n\r\n");
    if (end != std::string::npos) {
      buffer_ = text.substr(end + 4);
      return text.substr(0, end + 4);
    }
    const std::string some = receive_some();
    if (some.empty()) throw std::runtime_error("the server closed the connection");
    text += some;
  }
}

std::string Client::receive_line() {
  std::string line;
  while (!line.ends_with('\n')) line += receive_exactly(1);
  return line;
}

std::string Client::receive_chunk() {
  const std::size_t size = std::stoul(receive_line(), nullptr, 16);
  const std::string chunk = receive_exactly(size + 2);
  return chunk.substr(0, size);
}

Answer Client::receive(std::string_view method) {
  Answer answer;
  answer.head = receive_head();
  answer.status = std::stoi(answer.head.substr(9, 3));
  if (method == "HEAD" || answer.status == 204 || answer.status == 304) return answer;
  if (answer.field("Transfer-Encoding") == "chunked") {
    for (std::string chunk = receive_chunk(); !chunk.empty(); chunk = receive_chunk())
      answer.body += chunk;
  } else if (!answer.field("Content-Length").empty()) {
    answer.body = receive_exactly(std::stoul(answer.field("Content-Length")));
  }
  return answer;
}

Answer Client::request(std::string_view method, std::string_view target, std::string_view body) {
  std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: test\r\n", method, target);
  if (!body.empty())
    text += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", body.size());
  send(text + "\r\n" + std::string(body));
  return receive(method);
}

void Client::shut_down_sending() {
  ::shutdown(socket_.get(), SHUT_WR);
}

}  // namespace berth::docker
