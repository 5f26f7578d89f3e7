// The lines of snapshotter.h that are about calls meeting each other: at once, again, or in an
// order that is refused.
#include <algorithm>
#include <atomic>
#include <barrier>
#include <cstdio>
#include <thread>
#include <vector>

#include "image/snapshot/mounted_testing.h"
#include "image/snapshot/snapshotter_testsuite.h"
#include "image/snapshot/tree_testing.h"
#include "sys/dir.h"

namespace berth::image {
namespace {

constexpr int kRounds = 25;

template <typename T>
std::string outcome(const Result<T>& result) {
  return result.ok() ? "ok" : std::string(to_string(result.error().kind()));
}

/// Runs both at the same moment.
template <typename One, typename Other>
void at_once(One one, Other other) {
  std::barrier start(2);
  const std::jthread first([&] {
    start.arrive_and_wait();
    one();
  });
  start.arrive_and_wait();
  other();
}

}  // namespace

TEST_P(SnapshotterSuite, HasTheNameOfItsDriver) {
  EXPECT_EQ(snapshotter_->name(), GetParam().name);
}

TEST_P(SnapshotterSuite, ListTellsAllAndParentsBeforeChildren) {
  EXPECT_TRUE(MUST(snapshotter_->list()).empty());
  layer("z-base", "", [](int) {});
  layer("y-middle", "z-base", [](int) {});
  MUST(snapshotter_->prepare("a-top", "y-middle"));
  MUST(snapshotter_->prepare("b-alone", ""));
  std::vector<std::string> lines;
  for (const SnapshotInfo& info : MUST(snapshotter_->list())) {
    lines.push_back(fmt::format("{} on '{}' {}", info.key, info.parent,
                                info.kind == SnapshotKind::kActive ? "active" : "committed"));
  }
  EXPECT_EQ(lines,
            (std::vector<std::string>{"z-base on '' committed", "y-middle on 'z-base' committed",
                                      "a-top on 'y-middle' active", "b-alone on '' active"}));
}

TEST_P(SnapshotterSuite, KeysMayHaveEveryCharacterAndTheFullLength) {
  const std::string longest = "AZaz09._:-" + std::string(245, 'x');
  ASSERT_EQ(longest.size(), 255U);
  for (const std::string& name : {"sha256:" + std::string(64, 'a'), std::string(":"), longest}) {
    MUST(snapshotter_->prepare("making", ""));
    write(view("making").get(), "f", "1");
    MUST(snapshotter_->commit(name, "making"));
    MUST(snapshotter_->prepare("child", name));
    reopen();
    EXPECT_EQ(MUST(snapshotter_->stat(name)).key, name);
    EXPECT_EQ(MUST(snapshotter_->stat("child")).parent, name);
    EXPECT_EQ(read(view("child").get(), "f"), "1");
    MUST(snapshotter_->remove("child"));
    MUST(snapshotter_->remove(name));
  }
  EXPECT_EQ(outcome(snapshotter_->prepare(longest, "")), "ok");
  EXPECT_EQ(outcome(snapshotter_->prepare(longest + "x", "")), "invalid");
  EXPECT_EQ(outcome(snapshotter_->commit(longest + "x", longest)), "invalid");
}

TEST_P(SnapshotterSuite, WhatHasChildrenOfAnyKindStays) {
  layer("base", "", [](int root) { write(root, "f", "1"); });
  layer("committed", "base", [](int) {});
  EXPECT_EQ(outcome(snapshotter_->remove("base")), "conflict");
  MUST(snapshotter_->prepare("active", "base"));
  MUST(snapshotter_->remove("committed"));
  EXPECT_EQ(outcome(snapshotter_->remove("base")), "conflict");
  EXPECT_EQ(read(view("active").get(), "f"), "1");
  MUST(snapshotter_->remove("active"));
  EXPECT_EQ(outcome(snapshotter_->remove("base")), "ok");
}

TEST_P(SnapshotterSuite, WhoIsLateToCommitMayRemoveWhatItMade) {
  layer("done", "", [](int root) { write(root, "f", "first"); });
  MUST(snapshotter_->prepare("late", ""));
  write(view("late").get(), "f", "second");
  EXPECT_EQ(outcome(snapshotter_->commit("done", "late")), "conflict");
  EXPECT_EQ(MUST(snapshotter_->stat("late")).kind, SnapshotKind::kActive);  // as before the call
  EXPECT_EQ(read(view("late").get(), "f"), "second");
  EXPECT_EQ(outcome(snapshotter_->remove("late")), "ok");
  EXPECT_EQ(read(view("done").get(), "f"), "first");
  EXPECT_EQ(MUST(snapshotter_->list()).size(), 1U);
  EXPECT_EQ(names(MUST(sys::open_dir(root())).get()).size(), 1U);
}

TEST_P(SnapshotterSuite, CallsThatACrashInterruptedMayBeRepeated) {
  layer("base", "", [](int root) { write(root, "f", "1"); });
  // Each call was done, and whoever called died before it heard so.
  MUST(snapshotter_->prepare("work", "base"));
  reopen();
  EXPECT_EQ(outcome(snapshotter_->prepare("work", "base")), "conflict");
  write(view("work").get(), "g", "2");
  MUST(snapshotter_->commit("done", "work"));
  reopen();
  EXPECT_EQ(outcome(snapshotter_->commit("done", "work")), "not found");
  EXPECT_EQ(read(view("done").get(), "g"), "2");
  MUST(snapshotter_->remove("done"));
  reopen();
  EXPECT_EQ(outcome(snapshotter_->remove("done")), "not found");
  // The whole once more, under the same names.
  MUST(snapshotter_->prepare("work", "base"));
  EXPECT_EQ(read(view("work").get(), "g"), "(not found)");
  MUST(snapshotter_->commit("done", "work"));
  MUST(snapshotter_->remove("done"));
  EXPECT_EQ(names(MUST(sys::open_dir(root())).get()).size(), 1U);
}

TEST_P(SnapshotterSuite, UsageIsOfTheSnapshotAlone) {
  constexpr std::uint64_t kLarge = 1U << 20;
  layer("base", "", [](int root) {
    write(root, "large", std::string(kLarge, 'x'));
    for (int i = 0; i < 20; ++i) write(root, fmt::format("f{}", i), "");
  });
  layer("top", "base", [](int root) { write(root, "small", "1"); });
  MUST(snapshotter_->prepare("active", "top"));
  EXPECT_GE(MUST(snapshotter_->usage("base")).bytes, kLarge);
  EXPECT_EQ(MUST(snapshotter_->usage("base")).inodes, 22U);
  const bool copies = GetParam().copies_parents;
  EXPECT_EQ(MUST(snapshotter_->usage("top")).bytes >= kLarge, copies);
  EXPECT_EQ(MUST(snapshotter_->usage("top")).inodes, copies ? 23U : 2U);
  EXPECT_EQ(MUST(snapshotter_->usage("active")).inodes, copies ? 23U : 1U);
  EXPECT_EQ(outcome(snapshotter_->usage("nothing")), "not found");
}

TEST_P(SnapshotterSuite, CommitAndRemoveAtOnce) {
  for (int i = 0; i < kRounds; ++i) {
    MUST(snapshotter_->prepare("work", ""));
    for (int file = 0; file < 20; ++file) write(view("work").get(), std::to_string(file), "x");
    std::string committed;
    std::string removed;
    at_once([&] { committed = outcome(snapshotter_->commit("done", "work")); },
            [&] { removed = outcome(snapshotter_->remove("work")); });
    // The key is gone either way, and whoever came second finds nothing.
    if (committed == "ok") {
      EXPECT_EQ(removed, "not found");
      EXPECT_EQ(names(view("done").get()).size(), 20U);
      MUST(snapshotter_->remove("done"));
    } else {
      EXPECT_EQ(committed, "not found");
      EXPECT_EQ(removed, "ok");
    }
    EXPECT_TRUE(MUST(snapshotter_->list()).empty());
    EXPECT_TRUE(names(MUST(sys::open_dir(root())).get()).empty());
  }
}

TEST_P(SnapshotterSuite, CommitsToOneNameAtOnce) {
  for (int i = 0; i < kRounds; ++i) {
    MUST(snapshotter_->prepare("one", ""));
    MUST(snapshotter_->prepare("two", ""));
    std::string one;
    std::string two;
    at_once([&] { one = outcome(snapshotter_->commit("done", "one")); },
            [&] { two = outcome(snapshotter_->commit("done", "two")); });
    EXPECT_EQ(one == "ok" ? two : one, "conflict");
    EXPECT_EQ(one == "ok" ? one : two, "ok");
    MUST(snapshotter_->remove(one == "ok" ? "two" : "one"));
    MUST(snapshotter_->remove("done"));
  }
}

TEST_P(SnapshotterSuite, PrepareAndRemoveOfTheParentAtOnce) {
  for (int i = 0; i < kRounds; ++i) {
    layer("base", "", [](int root) {
      for (int file = 0; file < 20; ++file) write(root, std::to_string(file), "x");
      make_dir(root, "d");
      write(root, "d/f", "x");
    });
    std::string prepared;
    std::string removed;
    at_once([&] { prepared = outcome(snapshotter_->prepare("child", "base")); },
            [&] { removed = outcome(snapshotter_->remove("base")); });
    if (prepared == "ok") {
      EXPECT_EQ(removed, "conflict");
      EXPECT_EQ(names(view("child").get()).size(), 21U);
      MUST(snapshotter_->remove("child"));
      MUST(snapshotter_->remove("base"));
    } else {
      EXPECT_EQ(prepared, "not found");
      EXPECT_EQ(removed, "ok");
    }
    EXPECT_TRUE(MUST(snapshotter_->list()).empty());
    EXPECT_TRUE(names(MUST(sys::open_dir(root())).get()).empty());
  }
}

TEST_P(SnapshotterSuite, ACheckNamesWhatDoesNotBelongTogether) {
  const auto faults = [&] {
    std::vector<std::string> lines;
    for (const SnapshotFault& fault : MUST(snapshotter_->check()))
      lines.push_back(fmt::format("{} {}", static_cast<int>(fault.kind), fault.name));
    std::ranges::sort(lines);
    return lines;
  };
  layer("base", "", [](int root) { write(root, "f", "1"); });
  MUST(snapshotter_->prepare("work", "base"));
  EXPECT_TRUE(faults().empty());
  const UniqueFd dir = MUST(sys::open_dir(root()));
  std::string last;  // the directory of "work"
  for (const auto& entry : MUST(sys::list_dir(dir.get())))
    if (entry.name.size() > last.size() || entry.name > last) last = entry.name;
  ASSERT_EQ(::renameat(dir.get(), last.c_str(), dir.get(), "4711"), 0);
  MUST(sys::make_dir_at(dir.get(), "new-dead", 0700));
  const auto line = [](SnapshotFault::Kind kind, const char* name) {
    return fmt::format("{} {}", static_cast<int>(kind), name);
  };
  EXPECT_EQ(faults(), (std::vector<std::string>{line(SnapshotFault::Kind::kNoTree, "work"),
                                                line(SnapshotFault::Kind::kStray, "4711"),
                                                line(SnapshotFault::Kind::kHalfMade, "new-dead")}));
  MUST(snapshotter_->remove_stray("new-dead"));
  EXPECT_EQ(outcome(snapshotter_->remove_stray("new-dead")), "conflict");
  ASSERT_EQ(::renameat(dir.get(), "4711", dir.get(), last.c_str()), 0);
  EXPECT_EQ(outcome(snapshotter_->remove_stray(last)), "conflict");
  EXPECT_TRUE(faults().empty());
}

TEST_P(SnapshotterSuite, WhatIsBeingMadeAndRemovedIsNoFault) {
  layer("base", "", [](int root) { write(root, "f", "1"); });
  std::atomic<bool> done = false;
  const std::jthread worker([&] {
    for (int i = 0; i < kRounds; ++i) {
      MUST(snapshotter_->prepare("work", "base"));
      MUST(snapshotter_->remove("work"));
    }
    done = true;
  });
  while (!done) {
    const auto faults = MUST(snapshotter_->check());
    EXPECT_TRUE(faults.empty()) << faults.front().name << " " << faults.front().detail;
  }
}

TEST_P(SnapshotterSuite, WhatIsPutAsideIsGoneAtOnceAndItsFilesAreWithTheNextClearing) {
  layer("base", "", [](int root) { write(root, "f", "1"); });
  MUST(snapshotter_->prepare("work", "base"));
  const UniqueFd dir = MUST(sys::open_dir(root()));
  const auto directories = [&] { return MUST(sys::list_dir(dir.get())).size(); };
  EXPECT_EQ(outcome(snapshotter_->set_aside("base")), "conflict");
  MUST(snapshotter_->set_aside("work"));
  EXPECT_EQ(outcome(snapshotter_->stat("work")), "not found");
  EXPECT_EQ(outcome(snapshotter_->set_aside("work")), "not found");
  MUST(snapshotter_->prepare("work", "base"));
  MUST(snapshotter_->set_aside("work"));
  EXPECT_EQ(directories(), 3U);
  EXPECT_TRUE(MUST(snapshotter_->check()).empty());
  std::stop_source stopped;
  stopped.request_stop();
  snapshotter_->clear_aside(stopped.get_token());
  EXPECT_GE(directories(), 2U);
  reopen();  // as after a crash
  snapshotter_->clear_aside({});
  EXPECT_EQ(directories(), 1U);
  EXPECT_EQ(read(view("base").get(), "f"), "1");
}

}  // namespace berth::image
