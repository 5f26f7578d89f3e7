#include "berth-runtime/signals.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace berth::runtime {
namespace {

TEST(Signals, HaveNamesAndNumbers) {
  for (const auto& [text, number] :
       std::initializer_list<std::pair<const char*, int>>{{"TERM", SIGTERM},
                                                          {"SIGKILL", SIGKILL},
                                                          {"sigusr1", SIGUSR1},
                                                          {"9", 9},
                                                          {"0", 0},
                                                          {"64", 64},
                                                          {"IO", SIGIO},
                                                          {"POLL", SIGPOLL},
                                                          {"SIGCLD", SIGCHLD},
                                                          {"RTMIN", SIGRTMIN},
                                                          {"SIGRTMIN+1", SIGRTMIN + 1},
                                                          {"rtmax-3", SIGRTMAX - 3},
                                                          {"RTMAX", SIGRTMAX}})
    EXPECT_EQ(parse_signal(text).value_or(-1), number) << text;
}

TEST(Signals, ThatAreNoneAreNamedAsTheyWereGiven) {
  for (const char* text : {"", "SIG", "nothing", "65", "-9", "RTMIN-1", "RTMAX+1", "RTMIN+31",
                           "RTMIN+", "RTMINUS", "9x"}) {
    const auto signal = parse_signal(text);
    ASSERT_FALSE(signal.ok()) << text;
    EXPECT_EQ(signal.error().message(), fmt::format("unknown signal \"{}\"", text));
  }
}

}  // namespace
}  // namespace berth::runtime
