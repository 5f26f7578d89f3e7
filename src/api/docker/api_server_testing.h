// ApiServer: the API over a FakeEngine on a unix socket of its own, served by a thread of its own.
// Client: one raw connection to it. Both throw std::runtime_error when the world is not as a test
// needs it.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "api/docker/api.h"
#include "api/docker/fake_engine_testing.h"
#include "api/http/server.h"
#include "base/json.h"
#include "base/unique_fd.h"

namespace berth::docker {

class ApiServer {
 public:
  ApiServer();
  ~ApiServer();

  /// Runs `work` on the event loop and returns when it is done.
  template <typename Work>
  auto on_loop(Work work) -> decltype(work(std::declval<FakeEngine&>())) {
    std::packaged_task<decltype(work(std::declval<FakeEngine&>()))()> task(
        [&] { return work(*engine_); });
    auto result = task.get_future();
    boost::asio::post(loop_, [&] { task(); });
    return result.get();
  }
  /// Lets the loop run until `condition` holds, asking it between events.
  void await(const std::function<bool(FakeEngine&)>& condition);
  const std::string& socket_path() const { return socket_path_; }

 private:
  std::string directory_;
  std::string socket_path_;
  boost::asio::io_context loop_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::unique_ptr<FakeEngine> engine_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<http::Server> server_;
  std::thread thread_;
};

struct Answer {
  int status = 0;
  std::string head;
  std::string body;

  Json json() const;
  std::string field(std::string_view name) const;
};

class Client {
 public:
  explicit Client(const ApiServer& server);

  void send(std::string_view bytes);
  /// The next whole answer. `method` of the request: an answer to HEAD has no body.
  Answer receive(std::string_view method = "GET");
  /// One request and its answer. `body` is sent as JSON unless it is empty.
  Answer request(std::string_view method, std::string_view target, std::string_view body = {});
  /// The head of an answer, up to the empty line; what follows stays for receive_some().
  std::string receive_head();
  /// At least one byte; "" at the end.
  std::string receive_some();
  /// Whether there is something to receive already.
  bool has_input() const;
  /// Exactly so many bytes.
  std::string receive_exactly(std::size_t count);
  /// Next chunk of a chunked body; "" for the last one.
  std::string receive_chunk();
  std::string receive_line();
  /// No more input for the server.
  void shut_down_sending();
  void close() { socket_.reset(); }

 private:
  UniqueFd socket_;
  std::string buffer_;
};

}  // namespace berth::docker
