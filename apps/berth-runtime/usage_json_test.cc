#include "berth-runtime/usage_json.h"

#include <gtest/gtest.h>

namespace berth::runtime {
namespace {

constexpr const char* kNoUsage =
    R"({"type":"stats","id":"c","data":{"cpu":{"usage":{"kernel":0,"user":0},"throttling":{}},)"
    R"("cpuset":{"cpu_exclusive":0,"mem_hardwall":0,"mem_exclusive":0,"memory_migrate":0,)"
    R"("memory_spread_page":0,"memory_spread_slab":0,"memory_pressure":0,"sched_load_balance":0,)"
    R"("sched_relax_domain_level":0},"memory":{"usage":{"limit":0,"failcnt":0},)"
    R"("swap":{"limit":0,"failcnt":0},"kernel":{"limit":0,"failcnt":0},)"
    R"("kernelTCP":{"limit":0,"failcnt":0}},"pids":{},"blkio":{},"hugetlb":{},"intel_rdt":{},)"
    R"("network_interfaces":null}})";

std::string between(const std::string& text, const std::string& from, const std::string& to) {
  const auto begin = text.find(from);
  return text.substr(begin, text.find(to, begin) - begin);
}

TEST(UsageJson, IsOneLineAndLeavesOutWhatRuncDoes) {
  EXPECT_EQ(stats_event("c", {}), kNoUsage);
  EXPECT_EQ(oom_event("c"), R"({"type":"oom","id":"c"})");
}

TEST(UsageJson, HasEveryPart) {
  container::Usage usage;
  usage.cpu.per_cpu = {1, 2};
  usage.cpu.pressure = container::Pressure{{1.5, 0, 0.25, 77}, {}};
  usage.block_io.service_bytes = {{8, 0, "Read", 4096}, {8, 1, "", 0}};
  usage.hugepages["2MB"] = {1, 2, 3};
  const std::string text = stats_event("c", usage);
  EXPECT_EQ(between(text, R"("percpu")", R"(,"kernel")"), R"("percpu":[1,2])");
  EXPECT_EQ(between(text, R"("psi")", R"(,"full")"),
            R"("psi":{"some":{"avg10":1.5,"avg60":0,"avg300":0.25,"total":77})");
  EXPECT_EQ(between(text, R"("ioServiceBytesRecursive")", "},\"hugetlb"),
            R"("ioServiceBytesRecursive":[{"major":8,"op":"Read","value":4096},)"
            R"({"major":8,"minor":1}])");
  EXPECT_EQ(between(text, R"("2MB")", R"(,"intel)"), R"("2MB":{"usage":1,"max":2,"failcnt":3}})");
}

}  // namespace
}  // namespace berth::runtime
