#include "sys/mount_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <algorithm>

namespace berth::sys {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

MountOptions parse(const std::vector<std::string>& words) {
  auto options = parse_mount_options(words);
  EXPECT_TRUE(options.ok()) << options.error().message();
  return options.ok() ? *options : MountOptions();
}

TEST(MountOptions, OfNoWordsAreNone) {
  const MountOptions none = parse({"", "defaults", "async", "silent", "noauto", "nofail"});
  EXPECT_FALSE(none.bind);
  EXPECT_EQ(none.attr_set | none.attr_clear | none.recursive_attr_set | none.recursive_attr_clear,
            0U);
  EXPECT_TRUE(none.propagations.empty());
  EXPECT_THAT(none.parameters, IsEmpty());
  EXPECT_THAT(none.superblock_flags, IsEmpty());
  EXPECT_FALSE(none.read_only());
}

TEST(MountOptions, AttributesAreSetAndCleared) {
  struct Row {
    const char* word;
    std::uint64_t set, clear;
  };
  for (const Row& row :
       {Row{"ro", MOUNT_ATTR_RDONLY, 0}, Row{"rw", 0, MOUNT_ATTR_RDONLY},
        Row{"nosuid", MOUNT_ATTR_NOSUID, 0}, Row{"suid", 0, MOUNT_ATTR_NOSUID},
        Row{"nodev", MOUNT_ATTR_NODEV, 0}, Row{"dev", 0, MOUNT_ATTR_NODEV},
        Row{"noexec", MOUNT_ATTR_NOEXEC, 0}, Row{"exec", 0, MOUNT_ATTR_NOEXEC},
        Row{"nodiratime", MOUNT_ATTR_NODIRATIME, 0}, Row{"diratime", 0, MOUNT_ATTR_NODIRATIME},
        Row{"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
        Row{"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
        Row{"relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME}}) {
    const MountOptions options = parse({row.word});
    EXPECT_EQ(options.attr_set, row.set) << row.word;
    EXPECT_EQ(options.attr_clear, row.clear) << row.word;
    const MountOptions recursive = parse({std::string("r") + row.word});
    EXPECT_EQ(recursive.attr_set | recursive.attr_clear, 0U) << row.word;
    EXPECT_EQ(recursive.recursive_attr_set, row.set) << row.word;
    EXPECT_EQ(recursive.recursive_attr_clear, row.clear) << row.word;
  }
}

TEST(MountOptions, LaterWordsWinOverEarlierOnes) {
  EXPECT_EQ(parse({"ro", "rw"}).attr_set, 0U);
  EXPECT_EQ(parse({"ro", "rw"}).attr_clear, std::uint64_t{MOUNT_ATTR_RDONLY});
  EXPECT_TRUE(parse({"rw", "ro"}).read_only());
  EXPECT_EQ(parse({"rw", "ro"}).attr_clear, 0U);
  // Access times are one field: mount_setattr(2) wants it cleared whole before it is set.
  const MountOptions times = parse({"noatime", "strictatime"});
  EXPECT_EQ(times.attr_set, std::uint64_t{MOUNT_ATTR_STRICTATIME});
  EXPECT_EQ(times.attr_clear, std::uint64_t{MOUNT_ATTR__ATIME});
  EXPECT_EQ(parse({"slave", "rshared"}).propagations,
            (std::vector<Propagation>{{MS_SLAVE, false}, {MS_SHARED, true}}));
  EXPECT_FALSE(parse({"rbind", "bind"}).recursive);
}

TEST(MountOptions, ReadOnlyForAllBelowIsNotReadOnlyOfTheMountItself) {
  const MountOptions options = parse({"rro", "nosuid"});
  EXPECT_FALSE(options.read_only());
  EXPECT_EQ(options.recursive_attr_set, std::uint64_t{MOUNT_ATTR_RDONLY});
  EXPECT_EQ(options.attr_set, std::uint64_t{MOUNT_ATTR_NOSUID});
}

TEST(MountOptions, BindsMayBeRecursive) {
  EXPECT_TRUE(parse({"bind"}).bind);
  EXPECT_FALSE(parse({"bind"}).recursive);
  EXPECT_TRUE(parse({"rbind"}).bind);
  EXPECT_TRUE(parse({"rbind"}).recursive);
}

TEST(MountOptions, SomeSayHowToMount) {
  EXPECT_TRUE(parse({"remount", "ro"}).remount);
  EXPECT_TRUE(parse({"tmpcopyup"}).copy_up);
  EXPECT_EQ(parse({"idmap"}).id_mapped, IdMapped::kMount);
  EXPECT_EQ(parse({"rbind", "ridmap"}).id_mapped, IdMapped::kRecursive);
  const MountOptions none = parse({"bind", "ro"});
  EXPECT_FALSE(none.remount || none.copy_up);
  EXPECT_EQ(none.id_mapped, IdMapped::kNo);
}

TEST(MountOptions, PropagationsMayBeRecursive) {
  for (const auto& [word, flag] :
       {std::pair{"private", MS_PRIVATE}, std::pair{"shared", MS_SHARED},
        std::pair{"slave", MS_SLAVE}, std::pair{"unbindable", MS_UNBINDABLE}}) {
    const auto kind = static_cast<std::uint64_t>(flag);
    EXPECT_EQ(parse({word}).propagations, (std::vector<Propagation>{{kind, false}})) << word;
    EXPECT_EQ(parse({std::string("r") + word}).propagations,
              (std::vector<Propagation>{{kind, true}}))
        << word;
  }
}

TEST(MountOptions, SuperblockFlagsKeepTheirNames) {
  EXPECT_THAT(parse({"sync", "lazytime", "dirsync"}).superblock_flags,
              ElementsAre("sync", "lazytime", "dirsync"));
}

TEST(MountOptions, WhatIsUnknownIsTheFileSystemsOwn) {
  EXPECT_THAT(
      parse({"size=64m", "newinstance", "context=", "lowerdir=/a=b:/c", "rshare", "=x"}).parameters,
      ElementsAre(MountParameter{"size", "64m", true}, MountParameter{"newinstance", "", false},
                  MountParameter{"context", "", true}, MountParameter{"lowerdir", "/a=b:/c", true},
                  MountParameter{"rshare", "", false}, MountParameter{"", "x", true}));
}

TEST(MountOptions, WhatOtherRuntimesAddIsUnsupported) {
  for (const char* word :
       {"copy-symlink", "idmap=uids=0-1-2", "ridmap=gids=0-1-2", "src-nofollow", "dest-nofollow"}) {
    const std::vector<std::string> words = {"ro", word};
    const auto options = parse_mount_options(words);
    ASSERT_FALSE(options.ok()) << word;
    EXPECT_EQ(options.error().kind(), ErrorKind::kUnsupported);
    EXPECT_THAT(options.error().message(), HasSubstr(word));
  }
}

TEST(MountOptions, HaveAnOlderFormForMount2) {
  EXPECT_EQ(classic_flags(0), 0UL);
  EXPECT_EQ(
      classic_flags(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC),
      static_cast<unsigned long>(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC));
  EXPECT_EQ(classic_flags(MOUNT_ATTR_NOATIME | MOUNT_ATTR_NODIRATIME),
            static_cast<unsigned long>(MS_NOATIME | MS_NODIRATIME));
  EXPECT_EQ(classic_flags(MOUNT_ATTR_STRICTATIME), static_cast<unsigned long>(MS_STRICTATIME));
  EXPECT_EQ(classic_data({}), "");
  const std::vector<MountParameter> parameters = {
      {"size", "64m", true}, {"newinstance", "", false}, {"mode", "", true}};
  EXPECT_EQ(classic_data(parameters), "size=64m,newinstance,mode=");
}

TEST(MountOptions, KnownOnesAreTakenAndAreNoParameters) {
  const auto known = known_mount_options();
  EXPECT_TRUE(std::ranges::is_sorted(known));
  for (const char* word :
       {"bind", "ro", "rro", "rslave", "lazytime", "nosymfollow", "noauto", "remount", "idmap"})
    EXPECT_TRUE(std::ranges::binary_search(known, word)) << word;
  EXPECT_FALSE(std::ranges::binary_search(known, "size"));
  for (const std::string& word : known) {
    const auto options = parse_mount_options(std::vector<std::string>{word});
    ASSERT_TRUE(options.ok()) << word;
    EXPECT_TRUE(options->parameters.empty()) << word;
  }
}

}  // namespace
}  // namespace berth::sys
