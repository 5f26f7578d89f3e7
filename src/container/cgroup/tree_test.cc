#include "container/cgroup/tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "container/cgroup/fake_tree_testing.h"

namespace berth::container {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST(CgroupDirectory, IsMadeWithItsParentsAndSaysWhetherItIsNew) {
  const FakeTree tree;
  bool made = false;
  const auto first = CgroupDirectory::create(tree.path("memory"), "a/b/c", made);
  EXPECT_FALSE(first.ok()) << "the hierarchy itself is not made";
  tree.make("memory");
  const auto second = CgroupDirectory::create(tree.path("memory"), "a/b/c", made);
  ASSERT_TRUE(second.ok()) << second.error().message();
  EXPECT_TRUE(made);
  EXPECT_EQ(second->path(), tree.path("memory/a/b/c"));
  EXPECT_TRUE(tree.has("memory/a/b/c"));
  const auto third = CgroupDirectory::create(tree.path("memory"), "a/b/c", made);
  ASSERT_TRUE(third.ok());
  EXPECT_FALSE(made);
}

TEST(CgroupDirectory, IsNotMadeBelowAFile) {
  const FakeTree tree;
  tree.put("memory/a", "");
  bool made = false;
  const auto directory = CgroupDirectory::create(tree.path("memory"), "a/b", made);
  ASSERT_FALSE(directory.ok());
  EXPECT_THAT(directory.error().message(), HasSubstr(tree.path("memory/a")));
}

TEST(CgroupDirectory, ThatIsNotThereIsNotFound) {
  const FakeTree tree;
  EXPECT_EQ(CgroupDirectory::open(tree.path("x")).error().kind(), ErrorKind::kNotFound);
}

TEST(CgroupDirectory, ReadsAndWritesFilesThatAreThere) {
  const FakeTree tree;
  tree.put("a/number", "42\n");
  tree.put("a/large", "18446744073709551615\n");
  tree.put("a/word", "max\n\n");
  tree.put("a/empty", "");
  const auto directory = *CgroupDirectory::open(tree.path("a"));
  EXPECT_EQ(directory.read_number("number"), 42U);
  EXPECT_EQ(directory.read_number("large"), ~std::uint64_t{0});
  EXPECT_EQ(directory.read_number("word"), std::nullopt);
  EXPECT_EQ(directory.read_number("empty"), std::nullopt);
  EXPECT_EQ(directory.read_number("nowhere"), std::nullopt);
  EXPECT_EQ(*directory.read("word"), "max");
  ASSERT_TRUE(directory.write("empty", "7").ok());
  EXPECT_EQ(tree.get("a/empty"), "7");
  ASSERT_TRUE(directory.write_each("empty", {"1", "2"}).ok());
  EXPECT_EQ(tree.get("a/empty"), "12") << "one open, one write each";
}

TEST(CgroupDirectory, AFileThatIsMissingIsNotFoundAndNotMade) {
  const FakeTree tree;
  tree.make("a");
  const auto directory = *CgroupDirectory::open(tree.path("a"));
  EXPECT_EQ(directory.write("memory.max", "7").error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(directory.write_each("memory.max", {"7"}).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(directory.read("memory.max").error().kind(), ErrorKind::kNotFound);
  EXPECT_FALSE(tree.has("a/memory.max"));
}

TEST(CgroupDirectory, CountsTheProcessesBelowIt) {
  const FakeTree tree;
  tree.put("a/cgroup.procs", "1\n23\n");
  tree.put("a/b/cgroup.procs", "");
  tree.put("a/b/c/cgroup.procs", "456\n");
  tree.put("beside/cgroup.procs", "7\n");
  EXPECT_THAT(*CgroupDirectory::open(tree.path("a"))->processes(),
              UnorderedElementsAre(1, 23, 456));
}

// A process of another pid namespace is listed as 0.
TEST(CgroupDirectory, ProcessesThatCannotBeNamedAreLeftOut) {
  const FakeTree tree;
  tree.put("a/cgroup.procs", "0\n-3\nx5\n99999999999999999999\n12");
  EXPECT_THAT(*CgroupDirectory::open(tree.path("a"))->processes(), ::testing::IsSupersetOf({12}));
  const auto pids = *CgroupDirectory::open(tree.path("a"))->processes();
  for (const pid_t pid : pids) EXPECT_GT(pid, 0);
}

TEST(CgroupDirectory, EndlessNestingIsGivenUp) {
  const FakeTree tree;
  std::string path = "a";
  for (int depth = 0; depth < 70; ++depth) {
    tree.put(path + "/cgroup.procs", "");
    path += "/b";
  }
  EXPECT_EQ(CgroupDirectory::open(tree.path("a"))->processes().error().kind(),
            ErrorKind::kExhausted);
}

TEST(CgroupDirectory, IsRemovedWithThoseBelow) {
  const FakeTree tree;
  tree.make("a/b/c");
  tree.make("a/d");
  const auto directory = *CgroupDirectory::open(tree.path("a"));
  EXPECT_TRUE(directory.remove().ok());
  EXPECT_FALSE(tree.has("a"));
  EXPECT_TRUE(directory.remove().ok()) << "gone already is fine";
}

TEST(CgroupDirectory, ThatIsInUseIsAConflict) {
  const FakeTree tree;
  tree.put("a/b/busy", "");
  const auto removed = CgroupDirectory::open(tree.path("a"))->remove();
  ASSERT_FALSE(removed.ok());
  EXPECT_EQ(removed.error().kind(), ErrorKind::kConflict);
  EXPECT_THAT(removed.error().message(), HasSubstr(tree.path("a/b")));
}

}  // namespace
}  // namespace berth::container
