#include "container/systemd/unit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::container {
namespace {

using ::testing::HasSubstr;

TEST(PathOfSlice, ExpandsEachWord) {
  struct Row {
    const char* slice;
    const char* path;
  };
  constexpr Row kRows[] = {
      {"system.slice", "system.slice"},
      {"a-b-c.slice", "a.slice/a-b.slice/a-b-c.slice"},
      {"-.slice", ""},
      {"machine-berth.slice", "machine.slice/machine-berth.slice"},
      // Escaped, as a directory may not look like a file of the kernel's.
      {"cpu-x.slice", "_cpu.slice/cpu-x.slice"},
      {"_a.slice", "__a.slice"},
  };
  for (const Row& row : kRows) {
    const auto path = path_of_slice(row.slice);
    ASSERT_TRUE(path.ok()) << path.error().message();
    EXPECT_EQ(*path, row.path) << row.slice;
  }
}

TEST(PathOfSlice, RefusesWhatIsNoSlice) {
  for (const char* slice : {"", ".slice", "a", "a.scope", "a--b.slice", "-a.slice", "a-.slice",
                            "--.slice", "a/b.slice", "a b.slice", "..slice/.slice"})
    EXPECT_EQ(path_of_slice(slice).error().kind(), ErrorKind::kInvalid) << slice;
}

TEST(UnitOf, IsWhatThePathSays) {
  struct Row {
    const char* path;
    bool is_privileged;
    const char* name;
    const char* slice;
    const char* cgroup;
  };
  constexpr Row kRows[] = {
      {"", true, "berth-c1.scope", "system.slice", "system.slice/berth-c1.scope"},
      {"", false, "berth-c1.scope", "user.slice", "user.slice/berth-c1.scope"},
      {":docker:x", true, "docker-x.scope", "system.slice", "system.slice/docker-x.scope"},
      {"machine.slice:libpod:x", true, "libpod-x.scope", "machine.slice",
       "machine.slice/libpod-x.scope"},
      {"a-b.slice:p:x", false, "p-x.scope", "a-b.slice", "a.slice/a-b.slice/p-x.scope"},
      {"-.slice:p:x", true, "p-x.scope", "-.slice", "p-x.scope"},
      {"system.slice::x", true, "-x.scope", "system.slice", "system.slice/-x.scope"},
      {"a.slice:p:a-x.slice", true, "a-x.slice", "a.slice", "a.slice/a-x.slice"},
  };
  for (const Row& row : kRows) {
    const auto unit = unit_of(row.path, "c1", row.is_privileged);
    ASSERT_TRUE(unit.ok()) << unit.error().message();
    EXPECT_EQ(unit->name, row.name) << row.path;
    EXPECT_EQ(unit->slice, row.slice) << row.path;
    EXPECT_EQ(unit->path, row.cgroup) << row.path;
  }
}

TEST(UnitOf, AnotherFormIsRefusedWithTheFormThatIsMeant) {
  for (const char* path :
       {"/berth/c", "c", "a.slice:c", "a.slice:b:c:d", "a.slice:b:", ":::", "::-.slice"}) {
    const auto unit = unit_of(path, "c1", true);
    ASSERT_FALSE(unit.ok()) << path;
    EXPECT_EQ(unit.error().kind(), ErrorKind::kInvalid);
    EXPECT_THAT(unit.error().message(), HasSubstr("slice:prefix:name")) << path;
    EXPECT_THAT(unit.error().message(), HasSubstr("linux.cgroupsPath")) << path;
  }
  EXPECT_THAT(unit_of("a:b:c", "c1", true).error().message(), HasSubstr("linux.cgroupsPath: 'a'"));
}

TEST(UnitOf, ANameIsOneThatSystemdTakes) {
  EXPECT_THAT(unit_of("", "a+b", true).error().message(), HasSubstr("'berth-a+b.scope'"));
  EXPECT_FALSE(unit_of("", std::string(250, 'x'), true).ok());
  EXPECT_FALSE(unit_of(":a/b:c", "c1", true).ok());
}

TEST(DirectoryOfUnit, IsTheNameUnlessTheKernelMayHaveAFileOfIt) {
  EXPECT_EQ(directory_of_unit("berth-c1.scope"), "berth-c1.scope");
  EXPECT_EQ(directory_of_unit("memory.scope"), "_memory.scope");
  EXPECT_EQ(directory_of_unit("memory-x.scope"), "memory-x.scope");
}

}  // namespace
}  // namespace berth::container
