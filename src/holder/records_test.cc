#include "holder/records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "sys/file.h"
#include "sys/temp_dir_testing.h"

namespace berth::holder {
namespace {

TEST(Records, StartedIsReplaced) {
  const sys::TempDir directory;
  ASSERT_TRUE(write_started_record(directory.path(), {.pid = 1}).ok());
  ASSERT_TRUE(write_started_record(directory.path(), {.pid = 2}).ok());
  const auto text = sys::read_file(directory.path() + "/started.json");
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(started_record_from_json(*text)->pid, 2);
  EXPECT_FALSE(write_started_record(directory.path() + "/absent", {}).ok());
}

TEST(ProcessStartTime, IsTheSameEachTime) {
  const auto first = process_start_time(::getpid());
  ASSERT_TRUE(first.ok()) << first.error().message();
  EXPECT_EQ(*first, *process_start_time(::getpid()));
  EXPECT_THAT(*first, testing::MatchesRegex("[0-9]+"));
}

TEST(ProcessStartTime, ThereIsNoneForNoProcess) {
  EXPECT_EQ(process_start_time(0x7ffffffe).error().kind(), ErrorKind::kNotFound);
}

}  // namespace
}  // namespace berth::holder
