#include "berth/format/table.h"

#include <gtest/gtest.h>

namespace berth::cli {
namespace {

TEST(Table, ColumnsAreAtLeastTenWideAndThreeApart) {
  EXPECT_EQ(align_columns("REPOSITORY\tTAG\tSIZE\nbusybox\tlatest\t4.26MB\n"),
            "REPOSITORY   TAG       SIZE\n"
            "busybox      latest    4.26MB\n");
}

TEST(Table, TheLastCellIsNotPadded) {
  EXPECT_EQ(align_columns("A\tB\nlonger text\tx"), "A             B\nlonger text   x");
}

TEST(Table, CharactersCountNotBytes) {
  EXPECT_EQ(align_columns("äöü\tx\n", {.min_width = 0, .padding = 1}), "äöü x\n");
}

TEST(Table, NothingStaysNothing) {
  EXPECT_EQ(align_columns(""), "");
  EXPECT_EQ(align_columns("\n"), "\n");
  EXPECT_EQ(align_columns("one\n"), "one\n");
}

}  // namespace
}  // namespace berth::cli
