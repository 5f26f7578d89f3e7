#include "image/snapshot/tree_testing.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <utility>

#include "image/archive/node_attributes.h"
#include "image/content/hasher.h"
#include "sys/dir.h"
#include "sys/file.h"

namespace berth::image {
namespace {

class Describe final : public sys::TreeVisitor {
 public:
  explicit Describe(int root) : root_(root) { line("."); }

  Result<void> file(int, const std::string& name, unsigned char) override {
    line(path_ + name);
    return {};
  }
  Result<void> enter(int, const std::string& name, int) override {
    line(path_ + name);
    path_ += name + "/";
    return {};
  }
  Result<void> leave(int, const std::string& name) override {
    path_.resize(path_.size() - name.size() - 1);
    return {};
  }
  std::string text() const {
    std::string all;
    for (const std::string& line : lines_) all += line + "\n";
    return all;
  }

 private:
  void line(const std::string& path) {
    const struct stat st = stat_of(root_, path);
    std::string text = fmt::format("{} {:o} {}:{}", path, st.st_mode & 07777, st.st_uid, st.st_gid);
    if (S_ISREG(st.st_mode)) text += fmt::format(" file '{}'", read(root_, path));
    if (S_ISLNK(st.st_mode)) {
      char target[PATH_MAX];
      const ssize_t length = ::readlinkat(root_, path.c_str(), target, sizeof target);
      text =
          fmt::format("{} -> {}", path, std::string_view(target, static_cast<std::size_t>(length)));
    } else {
      char note[64];
      const std::string full = fmt::format("/proc/self/fd/{}/{}", root_, path);
      const ssize_t size = ::lgetxattr(full.c_str(), "user.note", note, sizeof note);
      if (size > 0)
        text += fmt::format(" note={}", std::string_view(note, static_cast<std::size_t>(size)));
    }
    lines_.insert(std::move(text));
  }

  int root_;
  std::string path_;
  std::set<std::string> lines_;
};

std::string attributes_of(const std::string& path) {
  std::string listed(XATTR_LIST_MAX, '\0');
  const ssize_t size = ::llistxattr(path.c_str(), listed.data(), listed.size());
  listed.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  std::set<std::string> attributes;
  for (const char* name = listed.data(); name < listed.data() + listed.size();
       name += std::strlen(name) + 1) {
    if (!is_image_xattr(name)) continue;
    std::string value(XATTR_SIZE_MAX, '\0');
    const ssize_t length = ::lgetxattr(path.c_str(), name, value.data(), value.size());
    value.resize(static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
    attributes.insert(fmt::format(" {}={}", name, value));
  }
  return fmt::format("{}", fmt::join(attributes, ""));
}

class DescribeNodes final : public sys::TreeVisitor {
 public:
  explicit DescribeNodes(int root) : root_(root) { add("."); }

  Result<void> file(int, const std::string& name, unsigned char) override {
    add(path_ + name);
    return {};
  }
  Result<void> enter(int, const std::string& name, int) override {
    add(path_ + name);
    path_ += name + "/";
    return {};
  }
  Result<void> leave(int, const std::string& name) override {
    path_.resize(path_.size() - name.size() - 1);
    return {};
  }

  std::map<std::string, std::string> nodes() && {
    for (const auto& [ino, paths] : links_) {
      for (const std::string& path : paths) nodes_[path] += " is " + *paths.begin();
    }
    return std::move(nodes_);
  }

 private:
  void add(const std::string& path) {
    const struct stat st = stat_of(root_, path);
    std::string text = fmt::format("{:o} {}:{} {}.{:09}", st.st_mode, st.st_uid, st.st_gid,
                                   st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    if (S_ISREG(st.st_mode)) {
      text += fmt::format(" {} bytes {}", st.st_size, sha256_of(read(root_, path)).str());
    }
    if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) text += fmt::format(" device {}", st.st_rdev);
    if (S_ISLNK(st.st_mode)) {
      std::string target(PATH_MAX, '\0');
      const ssize_t length = ::readlinkat(root_, path.c_str(), target.data(), target.size());
      target.resize(static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
      text += " -> " + target;
    }
    text += attributes_of(fmt::format("/proc/self/fd/{}/{}", root_, path));
    if (!S_ISDIR(st.st_mode)) links_[{st.st_dev, st.st_ino}].insert(path);
    nodes_[path] = std::move(text);
  }

  int root_;
  std::string path_;
  std::map<std::string, std::string> nodes_;
  std::map<std::pair<dev_t, ino_t>, std::set<std::string>> links_;
};

}  // namespace

void write(int root, const std::string& path, std::string_view text) {
  const UniqueFd fd = MUST(sys::open_at(root, path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
  MUST(sys::write_all(fd.get(), text));
}

std::string read(int root, const std::string& path) {
  auto text = sys::read_file_at(root, path);
  return text.ok() ? *text : "(" + std::string(to_string(text.error().kind())) + ")";
}

void make_dir(int root, const std::string& path) {
  ASSERT_EQ(::mkdirat(root, path.c_str(), 0755), 0);
}

Names names(int root, const std::string& path) {
  Names all;
  for (const auto& entry : MUST(sys::list_dir(MUST(sys::open_at(root, path, O_RDONLY)).get()))) {
    all.insert(entry.name);
  }
  return all;
}

struct stat stat_of(int root, const std::string& path) {
  struct stat st{};
  EXPECT_EQ(::fstatat(root, path.c_str(), &st, AT_SYMLINK_NOFOLLOW), 0) << path;
  return st;
}

std::string describe_tree(int root) {
  Describe describe(root);
  MUST(sys::walk_tree(root, describe));
  return describe.text();
}

std::map<std::string, std::string> describe_nodes(int root) {
  DescribeNodes describe(root);
  MUST(sys::walk_tree(root, describe));
  return std::move(describe).nodes();
}

}  // namespace berth::image
