#include "engine/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "engine/workload_entry.h"

namespace berth::engine {
namespace {

using testing::HasSubstr;

class RegistryTest : public testing::Test {
 protected:
  WorkloadId add(std::string id, const std::string& name) {
    auto workload = std::make_shared<Workload>(loop_.get_executor());
    workload->view.id = WorkloadId(std::move(id));
    workload->view.name = name;
    EXPECT_TRUE(registry_.reserve_name(name, workload->view.id).ok());
    registry_.add(workload);
    return workload->view.id;
  }

  boost::asio::io_context loop_;
  Registry registry_;
};

TEST_F(RegistryTest, FindsByIdNameAndPrefix) {
  const WorkloadId id = add("abc123", "web");
  add("abd456", "db");
  for (const char* reference : {"abc123", "abc", "web", "/web"})
    EXPECT_EQ((*registry_.find(reference))->view.id, id) << reference;
}

TEST_F(RegistryTest, AmbiguousPrefixIsAConflict) {
  add("abc123", "web");
  add("abd456", "db");
  EXPECT_EQ(registry_.find("ab").error().kind(), ErrorKind::kConflict);
}

TEST_F(RegistryTest, NameWinsOverPrefix) {
  add("abc123", "web");
  const WorkloadId named = add("ffff00", "abc");
  EXPECT_EQ((*registry_.find("abc"))->view.id, named);
}

TEST_F(RegistryTest, UnknownIsNotFoundInDockersWords) {
  add("abc123", "web");
  EXPECT_EQ(registry_.find("nope").error().message(), "No such container: nope");
  EXPECT_FALSE(registry_.find("").ok());
}

TEST_F(RegistryTest, SecondOwnerOfANameIsToldWhoHasIt) {
  const WorkloadId id = add("abc123", "web");
  const auto taken = registry_.reserve_name("web", WorkloadId("def"));
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().kind(), ErrorKind::kConflict);
  EXPECT_THAT(taken.error().message(), HasSubstr("already in use by container \"abc123\""));
}

TEST_F(RegistryTest, ReservedNameIsNotYetAWorkload) {
  ASSERT_TRUE(registry_.reserve_name("soon", WorkloadId("def")).ok());
  EXPECT_EQ(registry_.find("soon").error().kind(), ErrorKind::kNotFound);
}

TEST_F(RegistryTest, BadNamesAreRefused) {
  for (const char* name : {"", "a", "-x", ".x", "_x", "a/b", "a b", "a\nb"})
    EXPECT_EQ(registry_.reserve_name(name, WorkloadId("x")).error().kind(), ErrorKind::kInvalid)
        << name;
}

TEST_F(RegistryTest, MadeUpNamesAreValid) {
  for (int i = 0; i < 100; ++i) {
    const std::string name = made_up_name();
    EXPECT_TRUE(registry_.reserve_name(name, WorkloadId("x")).ok() || registry_.name_taken(name))
        << name;
  }
}

}  // namespace
}  // namespace berth::engine
