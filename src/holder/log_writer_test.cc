#include "holder/log_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "sys/file.h"
#include "sys/temp_dir_testing.h"

namespace berth::holder {
namespace {

using testing::ElementsAre;

constexpr WallTime kEarly{std::chrono::seconds(1)};
constexpr WallTime kLate{std::chrono::seconds(2)};

class LogWriterTest : public testing::Test {
 protected:
  LogWriter writer() {
    auto opened = LogWriter::open(path_);
    EXPECT_TRUE(opened.ok());
    return std::move(*opened);
  }
  std::string content() const { return *sys::read_file(path_); }
  std::vector<LogRecord> records() const {
    std::vector<LogRecord> found;
    const std::string text = content();
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at);
      EXPECT_NE(end, std::string::npos) << "a cut record at the end";
      if (end == std::string::npos) break;
      auto record = parse_log_record(std::string_view(text).substr(at, end - at));
      EXPECT_TRUE(record.ok());
      if (record.ok()) found.push_back(std::move(*record));
      at = end + 1;
    }
    return found;
  }
  std::vector<std::string> texts() const {
    std::vector<std::string> found;
    for (const LogRecord& record : records()) found.push_back(record.text);
    return found;
  }

  sys::TempDir directory_;
  std::string path_ = directory_.path() + "/json.log";
};

TEST_F(LogWriterTest, ALineIsARecord) {
  LogWriter log = writer();
  log.write(StreamKind::kStdout, "one\n\nthree\n", kEarly);
  EXPECT_THAT(texts(), ElementsAre("one\n", "\n", "three\n"));
  EXPECT_EQ(records()[0].time, kEarly);
}

TEST_F(LogWriterTest, ALineInPartsIsOneRecordOnceItEnds) {
  LogWriter log = writer();
  log.write(StreamKind::kStdout, "he", kEarly);
  EXPECT_THAT(texts(), ElementsAre());
  log.write(StreamKind::kStderr, "oops\n", kEarly);
  log.write(StreamKind::kStdout, "llo\nmore", kLate);
  EXPECT_THAT(texts(), ElementsAre("oops\n", "hello\n"));
  EXPECT_EQ(records()[0].stream, StreamKind::kStderr);
  EXPECT_EQ(records()[1].time, kLate);
}

TEST_F(LogWriterTest, ALastLineWithoutANewlineIsKeptAsItIs) {
  LogWriter log = writer();
  log.write(StreamKind::kStdout, "a\nend", kEarly);
  log.finish(kLate);
  EXPECT_THAT(texts(), ElementsAre("a\n", "end"));
}

TEST_F(LogWriterTest, ALongLineIsCutAndItsPiecesBearOneTime) {
  LogWriter log = writer();
  const std::string piece(kMaxLogPiece, 'x');
  log.write(StreamKind::kStdout, piece + piece + "y", kEarly);
  log.write(StreamKind::kStdout, "z\n", kLate);
  log.write(StreamKind::kStdout, "next\n", kLate);
  EXPECT_THAT(texts(), ElementsAre(piece, piece, "yz\n", "next\n"));
  EXPECT_EQ(records()[2].time, kEarly);
  EXPECT_EQ(records()[3].time, kLate);
}

TEST_F(LogWriterTest, ALineOfExactlyTheLimitEndsInARecordOfItsOwn) {
  LogWriter log = writer();
  const std::string piece(kMaxLogPiece, 'x');
  log.write(StreamKind::kStdout, piece.substr(1) + "\n" + piece + "\n", kEarly);
  EXPECT_THAT(texts(), ElementsAre(piece.substr(1) + "\n", piece, "\n"));
}

TEST_F(LogWriterTest, CuttingDoesNotDependOnHowTheOutputArrives) {
  const std::string output = std::string(40000, 'a') + "\nb\n" + std::string(16384, 'c') + "\nd";
  {
    LogWriter log = writer();
    log.write(StreamKind::kStdout, output, kEarly);
    log.finish(kEarly);
  }
  const std::string at_once = content();
  for (const std::size_t step : {1U, 7U, 1000U, 16384U, 16385U}) {
    path_ = directory_.path() + "/" + std::to_string(step);
    LogWriter log = writer();
    for (std::size_t at = 0; at < output.size(); at += step)
      log.write(StreamKind::kStdout, std::string_view(output).substr(at, step), kEarly);
    log.finish(kEarly);
    EXPECT_EQ(content(), at_once) << step;
  }
}

TEST_F(LogWriterTest, AppendsBehindACutRecord) {
  writer().write(StreamKind::kStdout, "one\n", kEarly);
  std::string text = content();
  text.resize(text.size() - 5);
  ASSERT_TRUE(sys::write_file_atomic(directory_.fd(), "json.log", text).ok());
  LogWriter log = writer();
  log.write(StreamKind::kStdout, "two\n", kLate);
  const std::string after = content();
  EXPECT_TRUE(after.starts_with(text + "\n{"));
  EXPECT_TRUE(parse_log_record(
                  std::string_view(after).substr(text.size() + 1, after.size() - text.size() - 2))
                  .ok());
}

// A file size limit stops write(2) in the middle just as a full disk does.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(LogWriterTest, WithoutRoomWholeRecordsAreDroppedAndCounted) {
  LogWriter log = writer();
  log.write(StreamKind::kStdout, "fits\n", kEarly);
  const std::size_t record = content().size();
  {
    const FileSizeLimit limit(record * 2 + record / 2);
    log.write(StreamKind::kStdout, "two.\nthis\nlost\n", kEarly);
    EXPECT_THAT(texts(), ElementsAre("fits\n", "two.\n"));
    EXPECT_EQ(log.dropped_records(), 2);
    log.write(StreamKind::kStdout, "gone\n", kEarly);
    EXPECT_EQ(log.dropped_records(), 3);
  }
  log.write(StreamKind::kStdout, "room\n", kEarly);
  EXPECT_THAT(texts(), ElementsAre("fits\n", "two.\n", "room\n"));
  EXPECT_EQ(log.dropped_records(), 3);
}

}  // namespace
}  // namespace berth::holder
