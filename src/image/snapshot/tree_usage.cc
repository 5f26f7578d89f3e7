#include "image/snapshot/tree_usage.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <unordered_set>

#include "sys/dir.h"

namespace berth::image {
namespace {

constexpr std::uint64_t kStatBlock = 512;  // the unit of st_blocks, stat(2)

class Measure final : public sys::TreeVisitor {
 public:
  Result<void> file(int dirfd, const std::string& name, unsigned char) override {
    return count(dirfd, name, AT_SYMLINK_NOFOLLOW);
  }
  Result<void> enter(int, const std::string&, int opened) override {
    return count(opened, "", AT_EMPTY_PATH);
  }
  Result<void> leave(int, const std::string&) override { return {}; }

  Result<void> count(int dirfd, const std::string& name, int flags) {
    struct stat st{};
    if (::fstatat(dirfd, name.c_str(), &st, flags) != 0) {
      if (errno == ENOENT) return {};
      return fail_errno("stat {}", name);
    }
    if (st.st_nlink > 1 && !S_ISDIR(st.st_mode) && !seen_.insert(st.st_ino).second) return {};
    usage.bytes += static_cast<std::uint64_t>(st.st_blocks) * kStatBlock;
    ++usage.inodes;
    return {};
  }

  SnapshotUsage usage;

 private:
  std::unordered_set<ino_t> seen_;
};

}  // namespace

Result<SnapshotUsage> measure_tree(int dirfd) {
  Measure measure;
  TRY(measure.count(dirfd, "", AT_EMPTY_PATH));
  TRY(sys::walk_tree(dirfd, measure));
  return measure.usage;
}

}  // namespace berth::image
