#include "berth/format/units.h"

#include <gtest/gtest.h>

namespace berth::cli {
namespace {

TEST(Units, BytesTakeBinarySuffixesInAnyCase) {
  EXPECT_EQ(*parse_bytes("512"), 512);
  EXPECT_EQ(*parse_bytes("64k"), 64 * 1024);
  EXPECT_EQ(*parse_bytes("64KB"), 64 * 1024);
  EXPECT_EQ(*parse_bytes("1.5g"), 1610612736);
  EXPECT_EQ(*parse_bytes("2MiB"), 2 << 20);
  EXPECT_EQ(*parse_bytes("7b"), 7);
}

TEST(Units, BytesRefuseWhatIsNoSize) {
  for (const char* text :
       {"", "abc", "-5", "1x", "1mm", "k", "1e3", "inf", "99999999999p", "1.2.3"})
    EXPECT_FALSE(parse_bytes(text).ok()) << text;
  EXPECT_EQ(parse_bytes("abc").error().message(), "invalid size: 'abc'");
}

TEST(Units, CpusAreExactBillionths) {
  EXPECT_EQ(*parse_nano_cpus("1.5"), 1500000000);
  EXPECT_EQ(*parse_nano_cpus("0.1"), 100000000);
  EXPECT_EQ(*parse_nano_cpus(".25"), 250000000);
  EXPECT_EQ(*parse_nano_cpus("2"), 2000000000);
  EXPECT_EQ(*parse_nano_cpus("0.0000000010"), 1);
  for (const char* text : {"", ".", "x", "-1", "1.0000000001", "1e1", "99999999999"})
    EXPECT_FALSE(parse_nano_cpus(text).ok()) << text;
}

TEST(Units, DurationsAddTheirParts) {
  EXPECT_EQ(*parse_duration("1h30m"), 5400000000000);
  EXPECT_EQ(*parse_duration("1.5s"), 1500000000);
  EXPECT_EQ(*parse_duration("300ms"), 300000000);
  EXPECT_EQ(*parse_duration("-2m"), -120000000000);
  EXPECT_EQ(*parse_duration("0"), 0);
  for (const char* text : {"", "5", "s", "1d", "1h5", "9999999999999h"})
    EXPECT_FALSE(parse_duration(text).ok()) << text;
}

TEST(Units, SizesAreShownWithThreeDigits) {
  EXPECT_EQ(human_size(0), "0B");
  EXPECT_EQ(human_size(999), "999B");
  EXPECT_EQ(human_size(4261234), "4.26MB");
  EXPECT_EQ(human_size(1500), "1.5kB");
  EXPECT_EQ(human_size(123456789), "123MB");
  EXPECT_EQ(human_binary_size(16785235968.0), "15.63GiB");
}

TEST(Units, DurationsAreShownInOneUnit) {
  EXPECT_EQ(human_duration(0), "Less than a second");
  EXPECT_EQ(human_duration(1), "1 second");
  EXPECT_EQ(human_duration(59), "59 seconds");
  EXPECT_EQ(human_duration(60), "About a minute");
  EXPECT_EQ(human_duration(185), "3 minutes");
  EXPECT_EQ(human_duration(3600), "About an hour");
  EXPECT_EQ(human_duration(26 * 3600), "26 hours");
  EXPECT_EQ(human_duration(50 * 3600), "2 days");
  EXPECT_EQ(human_duration(15 * 86400), "2 weeks");
  EXPECT_EQ(human_duration(70 * 86400), "2 months");
  EXPECT_EQ(human_duration(800LL * 86400), "2 years");
}

}  // namespace
}  // namespace berth::cli
