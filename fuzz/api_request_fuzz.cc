// Any bytes as what a client sends: requests are read from a socket one after another, as the
// server does, and routed; query, filters and body are parsed as their routes would. Nothing is
// carried out.
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/docker/filters.h"
#include "api/docker/import_changes.h"
#include "api/docker/router.h"
#include "api/docker/routes.h"
#include "api/docker/wire/container_config.h"
#include "api/docker/wire/event.h"
#include "api/docker/wire/host_config.h"
#include "api/http/connection.h"
#include "api/http/request_reader.h"
#include "base/json.h"

namespace {

using berth::http::Connection;
using berth::http::Head;
using berth::http::RequestReader;

// Of one request's body; the routes' own caps are larger.
constexpr std::size_t kMaxBody = 1U << 20;
// What a unix socket takes without a reader.
constexpr std::size_t kMaxInput = 128U << 10;

void check_query(const berth::docker::Query& query) {
  using namespace berth::docker;
  const auto filters = Filters::parse(query.get("filters"));
  if (filters.ok()) {
    (void)filters->flag("dangling", false);
    (void)filters->matches_labels("label", {{"a", "b"}});
    (void)check_event_filters(*filters);
  }
  for (const char* name : {"since", "until"}) (void)parse_moment(name, query.get(name));
  for (const char* name : {"limit", "h", "w", "t", "tail"}) (void)query.integer(name);
  (void)query.flag("all");
  (void)parse_import_changes(query.all("changes"));
}

// What was accepted can be shown to others as JSON.
void check_create(std::string_view body) {
  const auto created = berth::docker::parse_create_request(body);
  if (!created.ok()) return;
  for (const auto& json : {berth::docker::container_config_json(created->config),
                           berth::docker::host_config_json(created->config)})
    if (!berth::parse_json(berth::dump_json(json)).ok()) std::abort();
}

void check_target(const Head& head) {
  const auto match = berth::docker::find_route(berth::docker::routes(), head.method, head.target);
  if (!match.ok()) return;
  if (match->route == nullptr || match->route->method != head.method) std::abort();
  if (match->request.name.find('\0') != std::string::npos) std::abort();
  check_query(match->request.query);
}

boost::asio::awaitable<void> serve(std::shared_ptr<Connection> connection, bool& done) {
  for (;;) {
    RequestReader reader(*connection);
    const auto head = co_await reader.read_head();
    if (!head.ok() || !*head) break;
    check_target(**head);
    const auto body = co_await reader.read_all(kMaxBody);
    if (!body.ok()) break;
    const bool whole = reader.at_end() && body->size() <= kMaxBody;
    const auto announced = (*head)->content_length;
    if (!whole || (!(*head)->chunked && body->size() != announced.value_or(0))) std::abort();
    check_create(*body);
  }
  done = true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kMaxInput) return 0;
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
  const berth::UniqueFd client(ends[0]);
  berth::UniqueFd server(ends[1]);
  if (::send(client.get(), data, size, MSG_DONTWAIT) != static_cast<ssize_t>(size)) std::abort();
  ::shutdown(client.get(), SHUT_WR);
  boost::asio::io_context loop(1);
  auto connection = Connection::open(std::move(server), loop.get_executor());
  if (!connection.ok()) std::abort();
  bool done = false;
  boost::asio::co_spawn(loop, serve(*connection, done), boost::asio::detached);
  loop.run();
  if (!done) std::abort();  // it waits for more, though the client has said all
  return 0;
}
