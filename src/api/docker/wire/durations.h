// Lengths of time as ps prints them: "5 seconds", "About a minute", "3 weeks".
#pragma once

#include <chrono>
#include <string>

namespace berth::docker {

std::string human_duration(std::chrono::nanoseconds duration);

}  // namespace berth::docker
