#include "holder/log_reader.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "holder/log_writer.h"
#include "sys/file.h"
#include "sys/socket.h"
#include "sys/temp_dir_testing.h"

namespace berth::holder {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr WallTime at(int second) {
  return WallTime(std::chrono::seconds(second));
}

class LogReaderTest : public testing::Test {
 protected:
  void put(StreamKind stream, std::string_view text, int second) {
    log_.write(stream, text, at(second));
  }
  void append_raw(std::string_view text) {
    const UniqueFd file = *sys::open_file(path_, O_WRONLY | O_APPEND);
    ASSERT_TRUE(sys::write_all(file.get(), text).ok());
  }
  // What `read` yields until it is at the end.
  template <typename Read>
  static std::vector<std::string> texts_of(Read read) {
    std::vector<std::string> found;
    for (;;) {
      const Result<LogPart> part = read();
      EXPECT_TRUE(part.ok());
      if (!part.ok()) return found;
      for (const LogRecord& record : part->records) found.push_back(record.text);
      if (part->at_end) return found;
    }
  }
  static std::vector<std::string> texts(LogReader& reader) {
    return texts_of([&] { return reader.read(); });
  }
  static std::vector<std::string> texts(LogFollower& follower) {
    return texts_of([&] { return follower.read_more(); });
  }
  std::vector<std::string> query(LogQuery query) {
    auto reader = LogReader::open(path_, query);
    EXPECT_TRUE(reader.ok());
    return texts(*reader);
  }

  sys::TempDir directory_;
  std::string path_ = directory_.path() + "/json.log";
  LogWriter log_ = *LogWriter::open(path_);
};

TEST_F(LogReaderTest, ReadsEverythingInOrder) {
  put(StreamKind::kStdout, "a\nb\n", 1);
  put(StreamKind::kStderr, "c\n", 2);
  EXPECT_THAT(query({}), ElementsAre("a\n", "b\n", "c\n"));
}

TEST_F(LogReaderTest, SelectsStreams) {
  put(StreamKind::kStdout, "a\n", 1);
  put(StreamKind::kStderr, "b\n", 2);
  EXPECT_THAT(query({.stderr_stream = false}), ElementsAre("a\n"));
  EXPECT_THAT(query({.stdout_stream = false}), ElementsAre("b\n"));
}

TEST_F(LogReaderTest, SelectsTimesBothEndsIncluded) {
  for (int second = 1; second <= 5; ++second)
    put(StreamKind::kStdout, std::to_string(second) + "\n", second);
  EXPECT_THAT(query({.since = at(4)}), ElementsAre("4\n", "5\n"));
  EXPECT_THAT(query({.since = at(2), .until = at(3)}), ElementsAre("2\n", "3\n"));
  auto reader = LogReader::open(path_, {.until = at(2)});
  EXPECT_THAT(texts(*reader), ElementsAre("1\n", "2\n"));
  EXPECT_TRUE(reader->finished());
}

TEST_F(LogReaderTest, TailCountsRecords) {
  put(StreamKind::kStdout, "a\nb\nc\n", 1);
  EXPECT_THAT(query({.tail = 0}), IsEmpty());
  EXPECT_THAT(query({.tail = 2}), ElementsAre("b\n", "c\n"));
  EXPECT_THAT(query({.tail = 3}), ElementsAre("a\n", "b\n", "c\n"));
  EXPECT_THAT(query({.tail = 99}), ElementsAre("a\n", "b\n", "c\n"));
}

TEST_F(LogReaderTest, TailReachesOverManyBlocks) {
  std::string lines;
  for (int i = 0; i < 5000; ++i) lines += std::to_string(i) + "\n";
  put(StreamKind::kStdout, lines, 1);
  const auto found = query({.tail = 3000});
  ASSERT_EQ(found.size(), 3000);
  EXPECT_EQ(found.front(), "2000\n");
  EXPECT_EQ(found.back(), "4999\n");
}

TEST_F(LogReaderTest, NoCallReadsMoreThanItsShare) {
  std::string lines;
  for (int i = 0; i < 20'000; ++i) lines += std::to_string(i) + "\n";
  put(StreamKind::kStdout, lines, 1);
  const std::size_t shares = sys::read_file(path_)->size() / LogReader::kMaxReadBytes;
  ASSERT_GT(shares, 10);
  // Nothing of it is wanted; and the place where the wanted part begins is searched for likewise.
  for (const LogQuery& query : {LogQuery{.since = at(2)}, LogQuery{.tail = 1'000'000}}) {
    auto reader = LogReader::open(path_, query);
    for (std::size_t call = 0; call < shares; ++call) {
      const auto part = reader->read();
      ASSERT_TRUE(part.ok());
      EXPECT_THAT(part->records, IsEmpty());
      EXPECT_FALSE(part->at_end);
    }
  }
}

TEST_F(LogReaderTest, ARecordBeingWrittenIsLeftForLater) {
  put(StreamKind::kStdout, "a\n", 1);
  const std::string line = *sys::read_file(path_);
  auto reader = LogReader::open(path_, {});
  EXPECT_THAT(texts(*reader), ElementsAre("a\n"));
  append_raw(line.substr(0, 20));
  EXPECT_THAT(texts(*reader), IsEmpty());
  append_raw(line.substr(20));
  EXPECT_THAT(texts(*reader), ElementsAre("a\n"));
}

TEST_F(LogReaderTest, DamageIsSkipped) {
  put(StreamKind::kStdout, "a\n", 1);
  append_raw("{\"log\":\"cut\n\n");
  append_raw(std::string(300'000, 'x') + "\n");
  put(StreamKind::kStdout, "b\n", 2);
  EXPECT_THAT(query({}), ElementsAre("a\n", "b\n"));
}

TEST_F(LogReaderTest, AFileThatWasEmptiedIsReadFromItsStart) {
  put(StreamKind::kStdout, "a\nb\n", 1);
  auto reader = LogReader::open(path_, {});
  EXPECT_THAT(texts(*reader), ElementsAre("a\n", "b\n"));
  ASSERT_EQ(::truncate(path_.c_str(), 0), 0);
  EXPECT_THAT(texts(*reader), IsEmpty());
  put(StreamKind::kStdout, "c\n", 2);
  EXPECT_THAT(texts(*reader), ElementsAre("c\n"));
}

TEST_F(LogReaderTest, NoLogIsNotFound) {
  EXPECT_EQ(LogReader::open(path_ + ".no", {}).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(LogFollower::open(path_ + ".no", {}).error().kind(), ErrorKind::kNotFound);
}

TEST_F(LogReaderTest, AFollowerTellsWhenThereIsMore) {
  put(StreamKind::kStdout, "a\n", 1);
  auto follower = LogFollower::open(path_, {});
  ASSERT_TRUE(follower.ok());
  EXPECT_THAT(texts(*follower), ElementsAre("a\n"));
  EXPECT_THAT(texts(*follower), IsEmpty());
  EXPECT_FALSE(*sys::wait_readable(follower->fd(), std::chrono::milliseconds(0)));
  put(StreamKind::kStderr, "b\n", 2);
  EXPECT_TRUE(*sys::wait_readable(follower->fd(), std::chrono::milliseconds(5000)));
  EXPECT_THAT(texts(*follower), ElementsAre("b\n"));
}

}  // namespace
}  // namespace berth::holder
