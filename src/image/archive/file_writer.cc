#include "image/archive/file_writer.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "image/archive/entry_data.h"
#include "image/archive/entry_path.h"
#include "image/archive/node_attributes.h"

namespace berth::image {

FileWriter::FileWriter() : thread_([this] { run(); }) {}

FileWriter::~FileWriter() {
  {
    const std::scoped_lock lock(mutex_);
    abandoned_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

FileWriter::Batch& FileWriter::room() {
  const Batch& last = batch(ready_);
  if (last.bytes >= kBatchBytes || last.steps.size() == kBatchSteps) hand_over();
  return batch(ready_);
}

void FileWriter::begin(UniqueFd file, TarEntry entry) {
  Batch& last = room();
  last.bytes += entry.path.size();
  for (const auto& [name, value] : entry.xattrs) last.bytes += name.size() + value.size();
  last.steps.emplace_back(File{std::move(file), std::move(entry)});
}

void FileWriter::write(std::span<const std::byte> data, std::uint64_t offset) {
  while (!data.empty()) {
    Batch& last = room();
    const auto part = data.first(std::min(data.size(), kBatchBytes - last.bytes));
    last.data.insert(last.data.end(), part.begin(), part.end());
    last.bytes += part.size();
    last.steps.emplace_back(Write{offset, part.size()});
    data = data.subspan(part.size());
    offset += part.size();
  }
}

bool FileWriter::failed() const {
  const std::scoped_lock lock(mutex_);
  return error_.has_value();
}

void FileWriter::hand_over() {
  std::unique_lock lock(mutex_);
  ++ready_;
  changed_.notify_all();
  changed_.wait(lock, [&] { return ready_ - done_ < kBatches; });
}

Result<void> FileWriter::finish() {
  {
    const std::scoped_lock lock(mutex_);
    ++ready_;
    finished_ = true;
  }
  changed_.notify_all();
  thread_.join();
  return error_ ? Result<void>(*std::move(error_)) : Result<void>();
}

void FileWriter::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return abandoned_ || done_ < ready_ || finished_; });
    if (abandoned_) return;
    const bool is_last = done_ == ready_;
    const bool is_useful = !error_;
    lock.unlock();
    Result<void> done;
    if (is_useful) done = is_last ? end_file() : carry_out(batch(done_));
    if (!is_last) {
      Batch& over = batch(done_);
      over.steps.clear();
      over.data.clear();
      over.bytes = 0;
    }
    lock.lock();
    if (!done.ok())
      error_ = std::move(done).error().context("entry " + quote_name(file_->entry.path));
    if (is_last) return;
    ++done_;
    changed_.notify_all();
  }
}

Result<void> FileWriter::carry_out(Batch& batch) {
  std::span<const std::byte> data = batch.data;
  for (auto& step : batch.steps) {
    if (File* const next = std::get_if<File>(&step)) {
      TRY(end_file());
      file_ = std::move(*next);
    } else {
      const auto [offset, size] = std::get<Write>(step);
      TRY(pwrite_all(file_->fd.get(), data.first(size), offset));
      data = data.subspan(size);
      file_->end = offset + size;
    }
  }
  return {};
}

Result<void> FileWriter::end_file() {
  if (!file_) return {};
  TRY(set_size(file_->fd.get(), file_->entry.size, file_->end));
  TRY(set_attributes(file_->fd.get(), file_->entry));
  file_.reset();
  return {};
}

}  // namespace berth::image
