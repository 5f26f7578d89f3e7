#include "image/archive/produced_source.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace berth::image {

class ProducedSource::Sink final : public ByteSink {
 public:
  explicit Sink(ProducedSource& owner) : owner_(owner) {}
  Result<void> write(std::span<const std::byte> bytes) override { return owner_.push(bytes); }

 private:
  ProducedSource& owner_;
};

ProducedSource::ProducedSource(Producer producer)
    : thread_([this, producer = std::move(producer)] {
        Sink sink(*this);
        auto produced = producer(sink);
        const std::scoped_lock lock(mutex_);
        ended_ = true;
        if (!produced.ok()) error_ = std::move(produced).error();
        changed_.notify_all();
      }) {}

ProducedSource::~ProducedSource() {
  {
    const std::scoped_lock lock(mutex_);
    abandoned_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Result<void> ProducedSource::push(std::span<const std::byte> bytes) {
  if (bytes.empty()) return {};
  std::vector<std::byte> copy(bytes.begin(), bytes.end());
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return abandoned_ || queued_ < kMaxQueued; });
  if (abandoned_) return fail(ErrorKind::kConflict, "nobody reads any more");
  queued_ += copy.size();
  queue_.push_back(std::move(copy));
  changed_.notify_all();
  return {};
}

Result<std::size_t> ProducedSource::read(std::span<std::byte> into) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return ended_ || !queue_.empty(); });
  if (queue_.empty()) return error_ ? Result<std::size_t>(*error_) : Result<std::size_t>(0);
  const std::vector<std::byte>& first = queue_.front();
  const std::size_t count = std::min(into.size(), first.size() - at_);
  std::memcpy(into.data(), first.data() + at_, count);
  at_ += count;
  if (at_ == first.size()) {
    at_ = 0;
    queued_ -= first.size();
    queue_.pop_front();
    changed_.notify_all();
  }
  return count;
}

}  // namespace berth::image
