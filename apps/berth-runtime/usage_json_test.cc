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

TEST(UsageJson, HasTheClassOfService) {
  container::RdtUsage rdt;
  EXPECT_EQ(between(stats_event("c", {}, rdt), R"("intel_rdt")", R"(,"network)"),
            R"("intel_rdt":{})");
  rdt.l3 = container::CacheInfo{.cbm_mask = "fff", .min_cbm_bits = 2, .num_closids = 16};
  rdt.l3_schema_root = "L3:0=fff";
  rdt.l3_schema = "L3:0=f";
  rdt.bandwidth = container::BandwidthInfo{
      .bandwidth_gran = 10, .delay_linear = 1, .min_bandwidth = 5, .num_closids = 8};
  rdt.bandwidth_schema = "MB:0=20";
  rdt.monitors = {{.llc_occupancy = 4096, .mbm_total_bytes = 7, .mbm_local_bytes = 3}, {}};
  EXPECT_EQ(between(stats_event("c", {}, rdt), R"("intel_rdt")", R"(,"network)"),
            R"("intel_rdt":{"l3_cache_info":{"cbm_mask":"fff","min_cbm_bits":2,"num_closids":16},)"
            R"("l3_cache_schema_root":"L3:0=fff","l3_cache_schema":"L3:0=f",)"
            R"("mem_bw_info":{"bandwidth_gran":10,"delay_linear":1,"min_bandwidth":5,)"
            R"("num_closids":8},"mem_bw_schema":"MB:0=20",)"
            R"("mbm_stats":[{"mbm_total_bytes":7,"mbm_local_bytes":3},{}],)"
            R"("cmt_stats":[{"llc_occupancy":4096},{}]})");
}

}  // namespace
}  // namespace berth::runtime
