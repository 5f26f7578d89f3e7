#include "image/registry/download.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/scope_exit.h"
#include "image/content/content_store.h"
#include "image/content/hasher.h"
#include "sys/dir.h"
#include "sys/file.h"

namespace berth::image {
namespace {

constexpr std::size_t kChunk = 256U << 10;
constexpr std::chrono::milliseconds kPause{200};
constexpr std::chrono::hours kKept{24 * 7};

Result<void> write_at(int fd, std::span<const std::byte> bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0) {
      if (errno == EINTR) continue;
      return fail_errno("cannot write a download to the disk");
    }
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return {};
}

}  // namespace

class Download::Reader final : public ByteSource {
 public:
  explicit Reader(Download& download) : download_(download) {}

  Result<std::size_t> read(std::span<std::byte> into) override {
    std::uint64_t arrived = 0;
    {
      std::unique_lock lock(download_.mutex_);
      download_.changed_.wait(lock, [&] { return download_.ended_ || download_.arrived_ > at_; });
      if (download_.error_) return *download_.error_;
      arrived = download_.arrived_;
    }
    const std::size_t wanted = std::min<std::uint64_t>(into.size(), arrived - at_);
    if (wanted == 0) return 0;
    const ssize_t count =
        ::pread(download_.file_.get(), into.data(), wanted, static_cast<off_t>(at_));
    if (count <= 0) return fail_errno("cannot read a download from the disk");
    at_ += static_cast<std::uint64_t>(count);
    return static_cast<std::size_t>(count);
  }

 private:
  Download& download_;
  std::uint64_t at_ = 0;
};

Download::Download(Downloads& owner, Digest digest, std::uint64_t size, UniqueFd file, Fetch fetch)
    : owner_(owner),
      digest_(std::move(digest)),
      size_(size),
      file_(std::move(file)),
      fetch_(std::move(fetch)) {}

Download::~Download() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  // What was cut off stays, to be taken up.
  owner_.forget(*this, kept_);
}

std::unique_ptr<ByteSource> Download::open() {
  return std::make_unique<Reader>(*this);
}

std::uint64_t Download::arrived() const {
  const std::scoped_lock lock(mutex_);
  return arrived_;
}

Result<void> Download::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return ended_; });
  return error_ ? Result<void>(*error_) : Result<void>();
}

Result<void> Download::keep(ContentStore& content) {
  TRY(wait());
  TRY(content.adopt(owner_.directory_.get(), name(), digest_));
  const std::scoped_lock lock(mutex_);
  kept_ = true;
  return {};
}

std::string Download::name() const {
  return fmt::format("{}.{}", digest_.hex(), size_);
}

void Download::advance(std::uint64_t arrived) {
  const std::scoped_lock lock(mutex_);
  arrived_ = arrived;
  changed_.notify_all();
}

void Download::end(std::optional<Error> error) {
  const std::scoped_lock lock(mutex_);
  ended_ = true;
  error_ = std::move(error);
  changed_.notify_all();
}

void Download::run(const std::stop_token& stop) {
  while (!owner_.slots_.try_acquire_for(std::chrono::milliseconds(100)))
    if (stop.stop_requested()) return end(fail(ErrorKind::kConflict, "the download was given up"));
  const ScopeExit release([&] { owner_.slots_.release(); });
  auto fetched = fetch_all(stop);
  if (!fetched.ok() && fetched.error().kind() == ErrorKind::kCorrupt) owner_.forget(*this, true);
  end(fetched.ok() ? std::nullopt
                   : std::optional(std::move(fetched).error().context(digest_.str())));
}

Result<void> Download::fetch_all(const std::stop_token& stop) {
  // One that was given up may still be about to notice.
  while (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (stop.stop_requested()) return fail(ErrorKind::kConflict, "the download was given up");
    std::this_thread::sleep_for(kPause);
  }
  Hasher hash(digest_);
  std::vector<std::byte> buffer(kChunk);
  std::uint64_t at = 0;
  // What an earlier transfer left; the last chunk of a lost machine may be wrong, and then the
  // digest says so.
  for (ssize_t count = 0; at < size_; at += static_cast<std::uint64_t>(count)) {
    const std::size_t most = std::min<std::uint64_t>(buffer.size(), size_ - at);
    count = ::pread(file_.get(), buffer.data(), most, static_cast<off_t>(at));
    if (count < 0) return fail_errno("cannot read a download from the disk");
    if (count == 0) break;
    hash.update(std::span(buffer).first(static_cast<std::size_t>(count)));
  }
  if (at > 0) advance(at);
  for (Patience patience; at < size_;) {
    const std::uint64_t before = at;
    const auto fetch_part = [&]() -> Result<void> {
      const auto source = TRY(fetch_(at, patience, stop));
      while (at < size_) {
        if (stop.stop_requested()) return fail(ErrorKind::kConflict, "the download was given up");
        const std::size_t count = TRY(source->read(buffer));
        if (count == 0) return fail(ErrorKind::kInternal, "the connection ended early");
        if (count > size_ - at)
          return fail(ErrorKind::kCorrupt, "there is more than the {} bytes it should have", size_);
        const auto part = std::span(buffer).first(count);
        TRY(write_at(file_.get(), part, at));
        hash.update(part);
        at += count;
        advance(at);
      }
      return {};
    };
    auto fetched = fetch_part();
    if (fetched.ok()) break;
    if (at > before) patience.gained();
    // Connections break; what else goes wrong does so again.
    const Error& error = fetched.error();
    const bool again = is_transient(error) || (error.os_errno() == ETIMEDOUT && at > before);
    if (!again || !patience.again(stop)) return fetched;
    log::info("{}: {}; going on at byte {}", digest_.str(), error.message(), at);
  }
  if (const Digest found = hash.finish(); found != digest_)
    return fail(ErrorKind::kCorrupt, "what arrived is {}", found.str());
  return {};
}

Downloads::Downloads(UniqueFd directory) : directory_(std::move(directory)) {
  const auto entries = sys::list_dir(directory_.get());
  if (!entries.ok()) return;
  const auto oldest = std::chrono::system_clock::now() - kKept;
  for (const auto& entry : *entries) {
    struct stat found = {};
    if (::fstatat(directory_.get(), entry.name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 &&
        std::chrono::system_clock::from_time_t(found.st_mtime) < oldest)
      (void)::unlinkat(directory_.get(), entry.name.c_str(), 0);
  }
}

void Downloads::forget(const Download& download, bool file_too) {
  const std::scoped_lock lock(mutex_);
  const auto found = under_way_.find(download.name());
  if (found == under_way_.end()) return;
  const auto own = download.weak_from_this();
  if (found->second.owner_before(own) || own.owner_before(found->second)) return;  // another's
  under_way_.erase(found);
  if (file_too) (void)::unlinkat(directory_.get(), download.name().c_str(), 0);
}

Result<std::shared_ptr<Download>> Downloads::get(const Digest& digest, std::uint64_t size,
                                                 Download::Fetch fetch) {
  if (size > ContentStore::kMaxBlobBytes)
    return fail(ErrorKind::kExhausted, "{} of {} bytes is over the cap of {}", digest.str(), size,
                ContentStore::kMaxBlobBytes);
  std::shared_ptr<Download> shared;  // goes after the lock, which its end takes
  const std::scoped_lock lock(mutex_);
  const std::string name = fmt::format("{}.{}", digest.hex(), size);
  auto& entry = under_way_[name];
  shared = entry.lock();
  if (shared) return shared;
  UniqueFd file = TRY(sys::open_at(directory_.get(), name, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  std::shared_ptr<Download> download(
      new Download(*this, digest, size, std::move(file), std::move(fetch)));
  entry = download;
  download->thread_ =
      std::jthread([raw = download.get()](const std::stop_token& stop) { raw->run(stop); });
  return download;
}

}  // namespace berth::image
