#include "image/registry/patience.h"

#include <gtest/gtest.h>

#include <thread>

namespace berth::image {
namespace {

TEST(Patience, EndsAfterSoManyTriesThatBringNothing) {
  std::stop_source stop;
  Patience patience;
  int tries = 1;
  while (patience.again(stop.get_token(), "0")) ++tries;
  EXPECT_EQ(tries, Patience::kTries);
}

TEST(Patience, BeginsAnewWhenSomethingWasGained) {
  Patience patience;
  EXPECT_TRUE(patience.again({}));
  EXPECT_EQ(patience.pause(), 2 * Patience::kFirstPause);
  patience.gained();
  EXPECT_EQ(patience.pause(), Patience::kFirstPause);
}

TEST(Patience, DoesWhatTheRegistryAsksWithinReason) {
  using std::chrono::seconds;
  const Patience patience;
  EXPECT_EQ(patience.pause("7"), seconds(7));
  EXPECT_EQ(patience.pause("86400"), Patience::kLongestPause);
  EXPECT_EQ(patience.pause("99999999999999999999"), Patience::kLongestPause);
  for (const char* text : {"0", "-5", "7 s", "Wed, 21 Oct 2015 07:28:00 GMT"})
    EXPECT_EQ(patience.pause(text), Patience::kFirstPause) << text;
}

TEST(Patience, EndsWithARequestToStop) {
  std::stop_source stop;
  Patience patience;
  const std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_FALSE(patience.again(stop.get_token(), "30"));
}

TEST(Patience, IsForWhatMayPass) {
  for (const int status : {429, 500, 502, 503, 504}) EXPECT_TRUE(is_transient(status));
  for (const int status : {200, 307, 400, 401, 403, 404, 416}) EXPECT_FALSE(is_transient(status));
  EXPECT_TRUE(is_transient(Error(ErrorKind::kInternal, "it broke")));
  EXPECT_FALSE(is_transient(Error(ErrorKind::kInternal, "nobody is there", EHOSTUNREACH)));
  EXPECT_FALSE(is_transient(Error(ErrorKind::kInternal, "it is silent", ETIMEDOUT)));
  EXPECT_FALSE(is_transient(Error(ErrorKind::kUnsupported, "no TLS")));
}

}  // namespace
}  // namespace berth::image
