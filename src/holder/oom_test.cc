#include "holder/oom.h"

#include <gtest/gtest.h>

#include "sys/file.h"
#include "sys/temp_dir_testing.h"

namespace berth::holder {
namespace {

TEST(KeyedValue, FindsWholeKeysOnly) {
  constexpr std::string_view kText = "oom_kill_disable 1\noom 2\noom_kill 3\nbad x";
  EXPECT_EQ(keyed_value(kText, "oom_kill"), 3);
  EXPECT_EQ(keyed_value(kText, "oom"), 2);
  EXPECT_EQ(keyed_value(kText, "bad"), 0);
  EXPECT_EQ(keyed_value(kText, "absent"), 0);
  EXPECT_EQ(keyed_value("oom_kill", "oom_kill"), 0);
  EXPECT_EQ(keyed_value("", "oom_kill"), 0);
}

TEST(WasOomKilled, ReadsBothVersionsOfTheTree) {
  const sys::TempDir v1;
  const sys::TempDir v2;
  const sys::TempDir other;
  ASSERT_TRUE(sys::write_file_atomic(v1.fd(), "memory.oom_control",
                                     "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n")
                  .ok());
  ASSERT_TRUE(sys::write_file_atomic(v2.fd(), "memory.events", "oom 1\noom_kill 0\n").ok());
  EXPECT_TRUE(was_oom_killed({other.path(), v1.path()}));
  EXPECT_FALSE(was_oom_killed({v2.path(), other.path()}));
  EXPECT_FALSE(was_oom_killed({}));
  ASSERT_TRUE(sys::write_file_atomic(v2.fd(), "memory.events", "oom 1\noom_kill 2\n").ok());
  EXPECT_TRUE(was_oom_killed({v2.path()}));
}

}  // namespace
}  // namespace berth::holder
