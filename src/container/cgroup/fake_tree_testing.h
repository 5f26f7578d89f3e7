// FakeTree: a temporary directory that stands for the mount of a cgroup hierarchy. The kernel's
// files are there only if a test makes them, keep what was written last, and keep their directory
// from being removed.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "sys/temp_dir_testing.h"

namespace berth::container {

class FakeTree {
 public:
  std::string path(const std::string& relative) const { return directory_.path() + "/" + relative; }

  /// Makes the directory and its parents.
  void make(const std::string& relative) const {
    std::filesystem::create_directories(path(relative));
  }
  void put(const std::string& file, const std::string& text) const {
    make(std::filesystem::path(file).parent_path().string());
    std::ofstream(path(file)) << text;
  }
  std::string get(const std::string& file) const {
    std::ifstream in(path(file));
    EXPECT_TRUE(in.is_open()) << file;
    return {std::istreambuf_iterator<char>(in), {}};
  }
  bool has(const std::string& relative) const { return std::filesystem::exists(path(relative)); }

 private:
  sys::TempDir directory_;
};

}  // namespace berth::container
