#include "container/systemd/unit_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "container/systemd/fake_systemd_testing.h"

namespace berth::container {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr const char* kJob = "/org/freedesktop/systemd1/job/42";
constexpr milliseconds kShort{100};

Result<UnitManager> connect(const FakeSystemd& fake,
                            milliseconds patience = UnitManager::kPatience) {
  return UnitManager::connect({fake.address()}, patience);
}

TEST(UnitManager, StartsAUnitAndWaitsForItsJob) {
  const FakeSystemd fake([](FakePeer& peer) {
    peer.authenticate();
    const BusMessage call = peer.expect("StartTransientUnit");
    EXPECT_EQ(call.signature, "ssa(sv)a(sa(sv))");
    EXPECT_EQ(call.path, "/org/freedesktop/systemd1");
    EXPECT_EQ(call.interface, "org.freedesktop.systemd1.Manager");
    EXPECT_EQ(call.destination, "org.freedesktop.systemd1");
    EXPECT_TRUE(call.reader().skip(call.signature).ok());
    BusReader reader = call.reader();
    EXPECT_EQ(*reader.read_string(), "x.scope");
    EXPECT_EQ(*reader.read_string(), "replace");
    // Another's job ends, and ours before its answer is here.
    peer.tell_job_removed("/org/freedesktop/systemd1/job/41", "failed");
    peer.tell_job_removed(kJob, "done");
    peer.answer(call, "o", kJob);
  });
  auto systemd = connect(fake);
  ASSERT_TRUE(systemd.ok()) << systemd.error().message();
  const UnitProperty properties[] = {{"Delegate", true},
                                     {"PIDs", std::vector<std::uint32_t>{1}},
                                     {"Slice", std::string("system.slice")}};
  const auto started = systemd->start("x.scope", properties);
  EXPECT_TRUE(started.ok()) << started.error().message();
}

TEST(UnitManager, AJobThatFailsIsAnError) {
  const FakeSystemd fake([](FakePeer& peer) {
    peer.authenticate();
    peer.answer(peer.expect("StartTransientUnit"), "o", kJob);
    peer.tell_job_removed(kJob, "failed");
  });
  const auto started = connect(fake)->start("x.scope", {});
  ASSERT_FALSE(started.ok());
  EXPECT_THAT(started.error().message(), HasSubstr("could not start x.scope"));
  EXPECT_THAT(started.error().message(), HasSubstr("'failed'"));
}

TEST(UnitManager, AJobWithoutAnEndIsWaitedForAsLongAsThePatienceLasts) {
  const FakeSystemd fake([](FakePeer& peer) {
    peer.authenticate();
    peer.answer(peer.expect("StartTransientUnit"), "o", kJob);
    peer.tell_job_removed("/org/freedesktop/systemd1/job/1", "done");
    EXPECT_EQ(peer.next_call().member, "");
  });
  const auto started = connect(fake, kShort)->start("x.scope", {});
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().kind(), ErrorKind::kExhausted);
  EXPECT_THAT(started.error().message(), HasSubstr("x.scope"));
}

TEST(UnitManager, OneThatNeverStopsTalkingIsNotListenedToForEver) {
  const FakeSystemd fake([](FakePeer& peer) {
    peer.authenticate();
    const BusMessage call = peer.expect("StopUnit");
    peer.answer(call, "o", kJob);
    while (peer.tell_job_removed("/j", "done")) {
    }
  });
  EXPECT_EQ(connect(fake, kShort)->stop("x.scope").error().kind(), ErrorKind::kExhausted);
}

TEST(UnitManager, AFailedUnitOfThatNameMakesRoom) {
  const FakeSystemd fake([](FakePeer& peer) {
    peer.authenticate();
    const std::string exists = "org.freedesktop.systemd1.UnitExists";
    peer.refuse(peer.expect("StartTransientUnit"), exists, "Unit x.scope was already loaded");
    peer.answer(peer.expect("ResetFailedUnit"), "");
    peer.answer(peer.expect("StartTransientUnit"), "o", kJob);
    peer.tell_job_removed(kJob, "done");
  });
  const auto started = connect(fake)->start("x.scope", {});
  EXPECT_TRUE(started.ok()) << started.error().message();
}

TEST(UnitManager, AUnitThatLivesIsAConflict) {
  const FakeSystemd fake([](FakePeer& peer) {
    peer.authenticate();
    const std::string exists = "org.freedesktop.systemd1.UnitExists";
    peer.refuse(peer.expect("StartTransientUnit"), exists, "exists");
    peer.answer(peer.expect("ResetFailedUnit"), "");
    peer.refuse(peer.expect("StartTransientUnit"), exists, "exists");
  });
  const auto started = connect(fake)->start("x.scope", {});
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().kind(), ErrorKind::kConflict);
  EXPECT_THAT(started.error().message(), HasSubstr("linux.cgroupsPath"));
}

TEST(UnitManager, WhatIsRefusedIsSaidInSystemdsWords) {
  const FakeSystemd fake([](FakePeer& peer) {
    peer.authenticate();
    peer.refuse(peer.expect("SetUnitProperties"), "org.freedesktop.DBus.Error.PropertyReadOnly",
                "Cannot set property Foo, or unknown property.");
  });
  const auto set = connect(fake)->set_properties("x.scope", {});
  ASSERT_FALSE(set.ok());
  EXPECT_EQ(set.error().kind(), ErrorKind::kInvalid);
  EXPECT_THAT(set.error().message(), HasSubstr("Cannot set property Foo"));
}

TEST(UnitManager, StopsAUnitAndForgetsThatItFailed) {
  const FakeSystemd fake([](FakePeer& peer) {
    peer.authenticate();
    peer.answer(peer.expect("StopUnit"), "o", kJob);
    peer.tell_job_removed(kJob, "failed");
    peer.refuse(peer.expect("ResetFailedUnit"), "org.freedesktop.systemd1.NoSuchUnit", "gone");
  });
  const auto stopped = connect(fake)->stop("x.scope");
  EXPECT_TRUE(stopped.ok()) << stopped.error().message();
}

TEST(UnitManager, WhatIsNotThereIsStopped) {
  const FakeSystemd fake([](FakePeer& peer) {
    peer.authenticate();
    peer.refuse(peer.expect("StopUnit"), "org.freedesktop.systemd1.NoSuchUnit", "not loaded");
  });
  EXPECT_TRUE(connect(fake)->stop("x.scope").ok());
}

TEST(UnitManager, AnEndInBetweenIsToldAsOne) {
  const FakeSystemd during([](FakePeer& peer) {
    peer.authenticate();
    peer.expect("StartTransientUnit");
  });
  const FakeSystemd after([](FakePeer& peer) {
    peer.authenticate();
    peer.answer(peer.expect("StartTransientUnit"), "o", kJob);
  });
  for (const FakeSystemd* fake : {&during, &after}) {
    const auto started = connect(*fake)->start("x.scope", {});
    ASSERT_FALSE(started.ok());
    EXPECT_NE(started.error().kind(), ErrorKind::kConflict);  // that would be another's unit
    EXPECT_THAT(started.error().message(), HasSubstr("closed the connection"));
  }
}

TEST(UnitManager, WhatIsNoMessageIsAnError) {
  const FakeSystemd fake([](FakePeer& peer) {
    peer.authenticate();
    peer.expect("StopUnit");
    peer.send(std::string(64, 'x'));
  });
  EXPECT_EQ(connect(fake)->stop("x.scope").error().kind(), ErrorKind::kCorrupt);
}

TEST(UnitManager, WhoeverIsNotLetInIsTold) {
  const FakeSystemd fake([](FakePeer& peer) {
    peer.read_until("BEGIN\r\n");
    peer.send("REJECTED EXTERNAL\r\n");
  });
  EXPECT_THAT(connect(fake).error().message(), HasSubstr("REJECTED EXTERNAL"));
}

TEST(UnitManager, WhereNobodyListensTheNextIsTried) {
  const sys::TempDir directory;
  const std::string nowhere = directory.path() + "/nowhere";
  const FakeSystemd fake([](FakePeer& peer) { peer.authenticate(); });
  EXPECT_TRUE(UnitManager::connect({{.path = nowhere}, fake.address()}).ok());
  const auto none = UnitManager::connect({{.path = nowhere}, {.path = nowhere + "2"}});
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().kind(), ErrorKind::kUnsupported);
  EXPECT_THAT(none.error().message(), HasSubstr(nowhere + "2"));
}

TEST(UnitManager, AMessageBusIsGreetedAndAskedForSignals) {
  const FakeSystemd fake(
      [](FakePeer& peer) {
        peer.authenticate();
        peer.answer(peer.expect("Hello"), "s", ":1.7");
        const BusMessage match = peer.expect("AddMatch");
        EXPECT_THAT(*match.reader().read_string(), HasSubstr("member='JobRemoved'"));
        peer.answer(match, "");
        peer.sender = ":1.1";
        peer.answer(peer.expect("Subscribe"), "");
        const BusMessage call = peer.expect("StartTransientUnit");
        peer.answer(call, "o", kJob);
        peer.sender = ":1.66";  // somebody who plays systemd
        peer.tell_job_removed(kJob, "failed");
        peer.sender = ":1.1";
        peer.tell_job_removed(kJob, "done");
      },
      true);
  auto systemd = connect(fake);
  ASSERT_TRUE(systemd.ok()) << systemd.error().message();
  const auto started = systemd->start("x.scope", {});
  EXPECT_TRUE(started.ok()) << started.error().message();
}

TEST(UnitManager, ReadsThePropertiesOfTheManager) {
  const FakeSystemd fake([](FakePeer& peer) {
    peer.authenticate();
    const auto answer = [&](const char* name, const std::string& value) {
      const BusMessage call = peer.expect("Get");
      BusReader reader = call.reader();
      EXPECT_EQ(*reader.read_string(), "org.freedesktop.systemd1.Manager");
      EXPECT_EQ(*reader.read_string(), name);
      // A variant of a string.
      peer.answer(call, "v", std::uint8_t{1}, 's', std::uint8_t{0}, value);
    };
    answer("Version", "252.38-1~deb12u1");
    answer("ControlGroup", "/user.slice/user@1.service");
    answer("ControlGroup", "/");
    answer("Version", "none");
  });
  auto systemd = connect(fake);
  EXPECT_EQ(*systemd->version(), 252);
  EXPECT_EQ(*systemd->control_group(), "/user.slice/user@1.service");
  EXPECT_EQ(*systemd->control_group(), "");
  EXPECT_FALSE(systemd->version().ok());
}

TEST(UnitManager, MovesAProcess) {
  const FakeSystemd fake([](FakePeer& peer) {
    peer.authenticate();
    const BusMessage call = peer.expect("AttachProcessesToUnit");
    EXPECT_EQ(call.signature, "ssau");
    EXPECT_TRUE(call.reader().skip(call.signature).ok());
    peer.answer(call, "");
  });
  EXPECT_TRUE(connect(fake)->attach("x.scope", "/below", 7).ok());
}

}  // namespace
}  // namespace berth::container
