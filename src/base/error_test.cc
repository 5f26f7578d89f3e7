#include "base/error.h"

#include <gtest/gtest.h>

#include <array>

namespace berth {
namespace {

TEST(Error, FromErrnoNamesTheOperationAndDerivesTheKind) {
  const Error error = Error::from_errno(ENOSPC, "write /x");
  EXPECT_EQ(error.message(), "write /x: No space left on device");
  EXPECT_EQ(error.kind(), ErrorKind::kExhausted);
  EXPECT_EQ(error.os_errno(), ENOSPC);
}

TEST(Error, FailErrnoReadsErrnoBeforeItFormats) {
  errno = EACCES;
  EXPECT_EQ(fail_errno("open {}", "/x").message(), "open /x: Permission denied");
}

TEST(Error, FailHasNoErrno) {
  const Error error = fail(ErrorKind::kInvalid, "bad reference '{}'", "A");
  EXPECT_EQ(error.message(), "bad reference 'A'");
  EXPECT_EQ(error.os_errno(), 0);
}

TEST(Error, ContextPutsTheOutermostNounFirst) {
  Error error = fail(ErrorKind::kCorrupt, "digest differs").context("layer 2").context("image x");
  EXPECT_EQ(error.message(), "image x: layer 2: digest differs");
}

TEST(Error, WithKindKeepsTextAndErrno) {
  const Error error = Error::from_errno(ENOENT, "exec /bin/x").with_kind(ErrorKind::kInvalid);
  EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
  EXPECT_EQ(error.os_errno(), ENOENT);
}

TEST(Error, KindsOfErrnos) {
  struct Row {
    int os_errno;
    ErrorKind kind;
  };
  constexpr std::array kRows = {
      Row{ENOENT, ErrorKind::kNotFound},    Row{ESRCH, ErrorKind::kNotFound},
      Row{EINVAL, ErrorKind::kInvalid},     Row{ELOOP, ErrorKind::kInvalid},
      Row{EEXIST, ErrorKind::kConflict},    Row{EADDRINUSE, ErrorKind::kConflict},
      Row{ENOSYS, ErrorKind::kUnsupported}, Row{EPERM, ErrorKind::kPermission},
      Row{EROFS, ErrorKind::kPermission},   Row{ENOMEM, ErrorKind::kExhausted},
      Row{EDQUOT, ErrorKind::kExhausted},   Row{EIO, ErrorKind::kInternal},
      Row{0, ErrorKind::kInternal},
  };
  for (const Row& row : kRows) EXPECT_EQ(kind_of_errno(row.os_errno), row.kind) << row.os_errno;
}

TEST(Error, EveryKindHasANameOfItsOwn) {
  EXPECT_EQ(to_string(ErrorKind::kNotFound), "not found");
  EXPECT_EQ(to_string(ErrorKind::kExhausted), "exhausted");
  EXPECT_EQ(to_string(ErrorKind::kInternal), "internal");
}

}  // namespace
}  // namespace berth
