// Clients that mean no good, or that are broken.
#include <gtest/gtest.h>

#include "api/docker/api_server_testing.h"

namespace berth::docker {
namespace {

constexpr std::string_view kPing = "GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n";

bool still_serves(ApiServer& server) {
  return Client(server).request("GET", "/_ping").status == 200;
}

TEST(HostileClient, ReadsAnswersToPipelinedRequestsInOrder) {
  ApiServer server;
  Client client(server);
  client.send(std::string(kPing) + "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n" + std::string(kPing));
  EXPECT_EQ(client.receive().status, 200);
  EXPECT_EQ(client.receive().status, 404);
  EXPECT_EQ(client.receive().body, "OK");
}

TEST(HostileClient, MaySendItsHeadByteByByte) {
  ApiServer server;
  Client client(server);
  for (const char c : kPing) client.send({&c, 1});
  EXPECT_EQ(client.receive().status, 200);
}

TEST(HostileClient, IsToldThatItsHeadIsTooLong) {
  ApiServer server;
  Client client(server);
  client.send("GET /" + std::string(http::kMaxHeadBytes, 'a'));
  EXPECT_EQ(client.receive().status, 431);
  EXPECT_EQ(client.receive_some(), "");
  EXPECT_TRUE(still_serves(server));
}

TEST(HostileClient, IsToldThatItDoesNotSpeakHttp) {
  for (const char* text :
       {"hello\r\n\r\n", "\r\n\r\n", "GET /_ping HTTP/9.9\r\n\r\n", "GET  /_ping\r\n\r\n",
        "GET /_ping HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "GET /_ping HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "GET /_ping HTTP/1.1\r\nBad Field: x\r\n\r\n"}) {
    ApiServer server;
    Client client(server);
    client.send(text);
    EXPECT_EQ(client.receive().status, 400) << text;
    EXPECT_EQ(client.receive_some(), "") << text;
  }
}

TEST(HostileClient, MayGoInTheMiddleOfAHead) {
  ApiServer server;
  {
    Client client(server);
    client.send("GET /_pi");
  }
  EXPECT_TRUE(still_serves(server));
}

TEST(HostileClient, MayGoInTheMiddleOfABody) {
  ApiServer server;
  {
    Client client(server);
    client.send("POST /containers/create HTTP/1.1\r\nContent-Length: 100\r\n\r\n{");
  }
  {
    Client client(server);
    client.send("POST /images/load HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab");
  }
  EXPECT_TRUE(still_serves(server));
}

TEST(HostileClient, CannotSendABodyOverTheCap) {
  ApiServer server;
  Client client(server);
  client.send("POST /containers/create HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n");
  const Answer answer = client.receive();
  EXPECT_EQ(answer.status, 507);
  EXPECT_NE(answer.body.find("request body is longer than"), std::string::npos);
  EXPECT_EQ(answer.field("Connection"), "close");
}

TEST(HostileClient, CannotSendEndlessChunksToAJsonRoute) {
  ApiServer server;
  Client client(server);
  client.send("POST /containers/create HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "10000\r\n" + std::string(0x10000, ' ') + "\r\n";
  for (int i = 0; i < 65; ++i) client.send(chunk);
  EXPECT_EQ(client.receive().status, 507);
}

TEST(HostileClient, IsToldThatItsChunksMakeNoSense) {
  ApiServer server;
  Client client(server);
  client.send(
      "POST /containers/create HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n");
  EXPECT_EQ(client.receive().status, 400);
}

TEST(HostileClient, MaySplitChunkHeadsAnywhere) {
  ApiServer server;
  const std::string request =
      "POST /images/load HTTP/1.1\r\nTransfer-Encoding: "
      "chunked\r\n\r\n5;ext=1\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n";
  const std::size_t body = request.find("\r\n\r\n") + 4;
  Client client(server);
  client.send(request.substr(0, body));
  for (const char c : request.substr(body)) client.send({&c, 1});
  EXPECT_EQ(client.receive().status, 200);
  EXPECT_EQ(server.on_loop([](FakeEngine& engine) { return engine.uploaded; }), "hello0123456789");
  EXPECT_EQ(client.request("GET", "/_ping").status, 200);
}

TEST(HostileClient, GetsA404ForBadEscapesOfNoRouteAndA400ForBadEscapes) {
  ApiServer server;
  Client client(server);
  EXPECT_EQ(client.request("GET", "/%zz").status, 400);
  EXPECT_EQ(client.request("GET", "/containers/json?all=%f").status, 400);
  EXPECT_EQ(client.request("GET", "/containers/a%00b/json").status, 400);
}

TEST(HostileClient, CannotNestJsonWithoutEnd) {
  ApiServer server;
  Client client(server);
  EXPECT_NE(client.request("POST", "/containers/create", std::string(100'000, '[')).status, 201);
  EXPECT_TRUE(still_serves(server));
}

TEST(HostileClient, OfHttp10IsAnsweredAndClosed) {
  ApiServer server;
  Client client(server);
  client.send("GET /_ping HTTP/1.0\r\n\r\n");
  EXPECT_EQ(client.receive().status, 200);
  EXPECT_EQ(client.receive_some(), "");
}

TEST(HostileClient, WaitingFor100ContinueGetsIt) {
  ApiServer server;
  Client client(server);
  client.send("POST /images/load HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.receive_head(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abcde");
  EXPECT_EQ(client.receive().status, 200);
}

TEST(HostileClient, ARefusedUploadIsAnsweredEvenIfTheClientStopsHalfWay) {
  ApiServer server;
  server.on_loop(
      [](FakeEngine& engine) { engine.load_error = fail(ErrorKind::kCorrupt, "no archive"); });
  Client client(server);
  client.send("POST /images/load HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nhalf");
  const Answer answer = client.receive();
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.json()["message"], "no archive");
}

}  // namespace
}  // namespace berth::docker
