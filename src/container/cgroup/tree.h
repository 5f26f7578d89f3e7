// One directory of a cgroup hierarchy, by descriptor: what both managers are made of.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace berth::container {

class CgroupDirectory {
 public:
  /// Makes `relative` below `hierarchy` with its missing parents. `made` says whether the last part
  /// is new.
  static Result<CgroupDirectory> create(const std::string& hierarchy, const std::string& relative,
                                        bool& made);
  /// Opens an existing one; kNotFound if there is none.
  static Result<CgroupDirectory> open(const std::string& path);

  const std::string& path() const { return path_; }
  int fd() const { return fd_.get(); }

  /// One write(2). kNotFound: no such file, so no such controller.
  Result<void> write(const std::string& file, std::string_view value) const;
  /// Several values into one file, opened once.
  Result<void> write_each(const std::string& file, const std::vector<std::string>& values) const;
  /// The whole file without the final newline, at most 64 KiB.
  Result<std::string> read(const std::string& file) const;
  std::optional<std::uint64_t> read_number(const std::string& file) const;
  /// Of this directory and those below it.
  Result<std::vector<pid_t>> processes() const;
  /// Whether there are processes but `known`.
  Result<bool> has_others(pid_t known) const;
  /// Removes the directory and those below it. Gone already is fine; kConflict: processes are left.
  Result<void> remove() const;

 private:
  CgroupDirectory(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  std::string path_;
  UniqueFd fd_;
};

}  // namespace berth::container
