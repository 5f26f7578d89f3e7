// lossy_disk BACKING DIRECTORY SEED: a disk with a volatile cache, as one file, DIRECTORY/disk.
// What is written to it is in memory until it is told to flush (fsync), and then in the file
// BACKING.
//
// SIGUSR1 cuts the power: from then on every write and every flush fails. SIGTERM ends it. If the
// power was cut, each block that was not flushed is in BACKING then as it was before, or as one of
// the writes since has made it: SEED decides, 0 takes them all back. A block is 4096 bytes, and is
// never torn. Without a cut nothing is lost.
#define FUSE_USE_VERSION 31
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t kBlock = 4096;
constexpr std::string_view kFile = "/disk";

volatile std::sig_atomic_t power_is_off = 0;

/// One thread at a time: libfuse is told so.
class Disk {
 public:
  explicit Disk(int backing) : backing_(backing) {}

  off_t size() const {
    struct stat st{};
    return ::fstat(backing_, &st) == 0 ? st.st_size : 0;
  }

  int read(char* into, std::size_t size, off_t offset) const {
    std::size_t done = 0;
    while (done < size) {
      const off_t at = offset + static_cast<off_t>(done);
      const std::size_t part = std::min(size - done, kBlock - in_block(at));
      const Block block = latest(at / static_cast<off_t>(kBlock));
      std::memcpy(into + done, block.data() + in_block(at), part);
      done += part;
    }
    return static_cast<int>(size);
  }

  int write(const char* from, std::size_t size, off_t offset) {
    if (power_is_off != 0) return -EIO;
    std::size_t done = 0;
    while (done < size) {
      const off_t at = offset + static_cast<off_t>(done);
      const std::size_t part = std::min(size - done, kBlock - in_block(at));
      const off_t number = at / static_cast<off_t>(kBlock);
      Block block = latest(number);
      std::memcpy(block.data() + in_block(at), from + done, part);
      unflushed_[number].push_back(block);
      done += part;
    }
    return static_cast<int>(size);
  }

  int flush() {
    if (power_is_off != 0) return -EIO;
    for (const auto& [number, versions] : unflushed_) put(number, versions.back());
    unflushed_.clear();
    return 0;
  }

  void end(unsigned long seed) {
    if (power_is_off == 0) {
      flush();
      return;
    }
    std::mt19937_64 random(seed);
    for (const auto& [number, versions] : unflushed_) {
      const std::size_t kept = seed == 0 ? 0 : random() % (versions.size() + 1);
      if (kept > 0) put(number, versions[kept - 1]);
    }
  }

 private:
  using Block = std::array<char, kBlock>;

  static std::size_t in_block(off_t at) { return static_cast<std::size_t>(at) % kBlock; }

  Block latest(off_t number) const {
    if (const auto found = unflushed_.find(number); found != unflushed_.end())
      return found->second.back();
    Block block{};
    (void)!::pread(backing_, block.data(), kBlock, number * static_cast<off_t>(kBlock));
    return block;
  }

  void put(off_t number, const Block& block) const {
    if (::pwrite(backing_, block.data(), kBlock, number * static_cast<off_t>(kBlock)) !=
        static_cast<ssize_t>(kBlock))
      std::perror("write to the backing file");
  }

  const int backing_;
  std::map<off_t, std::vector<Block>> unflushed_;  // versions of each block, oldest first
};

Disk& disk() {
  return *static_cast<Disk*>(fuse_get_context()->private_data);
}

fuse_operations operations() {
  fuse_operations table{};
  table.getattr = [](const char* path, struct stat* st, fuse_file_info*) {
    const bool file = path == kFile;
    if (!file && std::strcmp(path, "/") != 0) return -ENOENT;
    st->st_mode = file ? S_IFREG | 0600 : S_IFDIR | 0700;
    st->st_nlink = 1;
    st->st_size = file ? disk().size() : 0;
    return 0;
  };
  table.open = [](const char* path, fuse_file_info*) { return path == kFile ? 0 : -ENOENT; };
  table.read = [](const char*, char* into, std::size_t size, off_t offset, fuse_file_info*) {
    return disk().read(into, size, offset);
  };
  table.write = [](const char*, const char* from, std::size_t size, off_t offset, fuse_file_info*) {
    return disk().write(from, size, offset);
  };
  table.fsync = [](const char*, int, fuse_file_info*) { return disk().flush(); };
  return table;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) {
    std::fprintf(stderr, "use: lossy_disk BACKING DIRECTORY SEED\n");
    return 2;
  }
  // Or a test that died would leave a mount behind that nobody answers for.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int backing = ::open(arguments[1], O_RDWR | O_CLOEXEC);
  if (backing < 0) {
    std::perror(arguments[1]);
    return 1;
  }
  struct sigaction cut{};
  cut.sa_handler = [](int) { power_is_off = 1; };
  cut.sa_flags = SA_RESTART;
  ::sigaction(SIGUSR1, &cut, nullptr);
  Disk disk(backing);
  const fuse_operations table = operations();
  char* options[] = {arguments[0], const_cast<char*>("-f"), const_cast<char*>("-s"), arguments[2],
                     nullptr};
  const int ended = fuse_main(4, options, &table, &disk);
  disk.end(std::strtoul(arguments[3], nullptr, 10));
  return ended;
}
