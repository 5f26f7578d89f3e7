#include "holder/exit_record.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>

#include "sys/dir.h"
#include "sys/file.h"
#include "sys/temp_dir_testing.h"

namespace berth::holder {
namespace {

Result<ExitRecord> reserve_in(const sys::TempDir& directory) {
  return ExitRecord::reserve(TRY(sys::open_dir(directory.path())));
}

Result<Exited> read_in(const sys::TempDir& directory) {
  return exit_record_from_json(TRY(sys::read_file(directory.path() + "/exit.json")));
}

TEST(ExitRecord, SaysTheLastRunAndNoneBeforeItsEnd) {
  const sys::TempDir directory;
  ASSERT_TRUE(reserve_in(directory)->commit({.exit_code = 1}).ok());
  ASSERT_EQ(read_in(directory)->exit_code, 1);
  auto second = reserve_in(directory);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(read_in(directory).error().kind(), ErrorKind::kNotFound);
  ASSERT_TRUE(second->commit({.exit_code = 2, .error = "why"}).ok());
  EXPECT_EQ(read_in(directory)->exit_code, 2);
  EXPECT_EQ(read_in(directory)->error, "why");
}

TEST(ExitRecord, HoldsItsSpaceAndGivesItUp) {
  const sys::TempDir directory;
  auto record = reserve_in(directory);
  struct stat held = {};
  const std::string place = directory.path() + "/" + std::string(ExitRecord::kReserveName);
  ASSERT_EQ(::stat(place.c_str(), &held), 0);
  EXPECT_GE(static_cast<std::size_t>(held.st_blocks) * 512, ExitRecord::kReserveBytes);
  ASSERT_TRUE(record->commit({}).ok());
  EXPECT_NE(::stat(place.c_str(), &held), 0);
}

TEST(ExitRecord, WhatAKilledHolderLeftIsTakenOver) {
  const sys::TempDir directory;
  {
    ASSERT_TRUE(reserve_in(directory).ok());
  }
  ASSERT_TRUE(reserve_in(directory)->commit({.exit_code = 3}).ok());
  EXPECT_EQ(read_in(directory)->exit_code, 3);
}

TEST(ExitRecord, AnErrorThatDoesNotFitIsCut) {
  const sys::TempDir directory;
  // Each of these bytes takes six in JSON.
  ASSERT_TRUE(
      reserve_in(directory)->commit({.exit_code = 4, .error = std::string(8192, '\1')}).ok());
  const auto read = read_in(directory);
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(read->exit_code, 4);
  EXPECT_GT(read->error.size(), 0U);
}

}  // namespace
}  // namespace berth::holder
