#include "berth/create/pairs.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace berth::cli {
namespace {

class PairsFile : public ::testing::Test {
 protected:
  std::string write(std::string_view text) {
    path_ = ::testing::TempDir() + "pairs." + std::to_string(::getpid());
    std::FILE* file = std::fopen(path_.c_str(), "w");
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
    return path_;
  }
  void TearDown() override {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  std::string path_;
};
using List = std::vector<std::string>;

TEST_F(PairsFile, EnvironmentComesFromFilesThenFlags) {
  ::setenv("BERTH_TEST_INHERITED", "yes", 1);
  const auto file = write(
      "\xEF\xBB\xBF# comment\n\nA=1\r\n  B=with space "
      "\nBERTH_TEST_INHERITED\nBERTH_TEST_ABSENT\nE=");
  EXPECT_EQ(*read_environment({file}, {"C=3", "BERTH_TEST_INHERITED", "D="}),
            (List{"A=1", "B=with space ", "BERTH_TEST_INHERITED=yes", "E=", "C=3",
                  "BERTH_TEST_INHERITED=yes", "D="}));
}

TEST_F(PairsFile, MistakesNameFileAndLine) {
  const auto file = write("A=1\nbad name=2\n");
  EXPECT_EQ(read_environment({file}, {}).error().message(),
            "--env-file: " + file + ": variable 'bad name' contains whitespaces");
  EXPECT_EQ(read_environment({write("=x\n")}, {}).error().message(),
            "--env-file: " + file + ": no variable name on line '=x'");
  EXPECT_FALSE(read_environment({}, {"=x"}).ok());
  EXPECT_EQ(read_environment({"/nowhere/env"}, {}).error().message(),
            "--env-file: opening /nowhere/env: No such file or directory");
  EXPECT_FALSE(read_environment({"/dev/zero"}, {}).ok());
}

TEST_F(PairsFile, TheLastLabelWins) {
  const auto labels = read_labels({write("a=1\nb=2\n")}, {"b=3", "c"});
  EXPECT_EQ(*labels, (std::map<std::string, std::string>{{"a", "1"}, {"b", "3"}, {"c", ""}}));
}

TEST(Csv, FieldsMayBeQuoted) {
  EXPECT_EQ(*split_csv("a,b=c"), (List{"a", "b=c"}));
  EXPECT_EQ(*split_csv(R"(type=tmpfs,"src=a,""b")"), (List{"type=tmpfs", "src=a,\"b"}));
  EXPECT_EQ(*split_csv(""), List{""});
  EXPECT_FALSE(split_csv("\"a").ok());
  EXPECT_FALSE(split_csv("a=\"b\"").ok());
}

}  // namespace
}  // namespace berth::cli
