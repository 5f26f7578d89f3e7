#include "api/docker/router.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "api/docker/routes.h"

namespace berth::docker {
namespace {

// A path that the pattern is meant for.
std::string example_of(const Route& route) {
  std::string path(route.pattern);
  const std::size_t open = path.find('{');
  if (open == std::string::npos) return path;
  const std::size_t close = path.find('}', open);
  return path.replace(open, close - open + 1,
                      path[close - 1] == '*' ? "registry.test:5000/a/b:c" : "some_name");
}

TEST(Routes, EveryRowIsReached) {
  for (const Route& route : routes()) {
    const auto match = find_route(routes(), route.method, example_of(route));
    ASSERT_TRUE(match.ok()) << route.method << " " << route.pattern;
    EXPECT_EQ(match->route->pattern, route.pattern) << route.method;
  }
}

TEST(Routes, NoRowIsThereTwice) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const Route& route : routes())
    EXPECT_TRUE(seen.emplace(route.method, route.pattern).second) << route.pattern;
}

TEST(Routes, EachRowIsServedOrRefusedWithASentence) {
  for (const Route& route : routes())
    EXPECT_NE(route.handler == nullptr, route.refusal.empty()) << route.pattern;
}

TEST(Router, TakesTheVersionOffThePath) {
  const auto old = find_route(routes(), "GET", "/v1.24/version");
  ASSERT_TRUE(old.ok());
  EXPECT_EQ(old->request.version, (ApiVersion{1, 24}));
  const auto none = find_route(routes(), "GET", "/version");
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(none->request.version, kMaxApiVersion);
}

TEST(Router, RefusesVersionsItDoesNotSpeakInDockersWords) {
  const auto too_new = find_route(routes(), "GET", "/v1.99/version");
  ASSERT_FALSE(too_new.ok());
  EXPECT_EQ(too_new.error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(too_new.error().message(),
            "client version 1.99 is too new. Maximum supported API version is 1.47");
  const auto too_old = find_route(routes(), "GET", "/v1.12/version");
  ASSERT_FALSE(too_old.ok());
  EXPECT_NE(too_old.error().message().find("client version 1.12 is too old"), std::string::npos);
}

TEST(Router, ImageNamesMayHaveSlashes) {
  const auto match = find_route(routes(), "GET", "/v1.47/images/registry.test:5000/a/b:c/json?x=1");
  ASSERT_TRUE(match.ok());
  EXPECT_EQ(match->request.name, "registry.test:5000/a/b:c");
  EXPECT_EQ(match->request.query.get("x"), "1");
}

TEST(Router, ContainerNamesMayNot) {
  EXPECT_FALSE(find_route(routes(), "GET", "/containers/a/b/json").ok());
  EXPECT_FALSE(find_route(routes(), "GET", "/containers//json").ok());
}

TEST(Router, DecodesThePathBeforeItMatches) {
  const auto match = find_route(routes(), "DELETE", "/images/a%2Fb%3Ac");
  ASSERT_TRUE(match.ok());
  EXPECT_EQ(match->request.name, "a/b:c");
}

TEST(Router, TakesAbsoluteTargets) {
  EXPECT_TRUE(find_route(routes(), "GET", "http://docker/v1.40/info").ok());
}

TEST(Router, AnythingElseIsNotFound) {
  for (const char* target :
       {"/", "", "*", "/v1.47", "/v1.47/", "/versions", "/info/", "/v/info", "/v1.x/info"}) {
    const auto match = find_route(routes(), "GET", target);
    ASSERT_FALSE(match.ok()) << target;
    EXPECT_EQ(match.error().kind(), ErrorKind::kNotFound) << target;
    EXPECT_EQ(match.error().message(), "page not found");
  }
  EXPECT_FALSE(find_route(routes(), "BREW", "/info").ok());
}

}  // namespace
}  // namespace berth::docker
