#include "container/checkpoint/descriptors.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "container/spec/json_reader.h"
#include "container/spec/json_writer.h"
#include "sys/file.h"

namespace berth::container {
namespace {

constexpr const char* kFile = "descriptors.json";
constexpr std::size_t kMaxBytes = 64U << 10;  // three links, of at most a page each
constexpr int kStreams = 3;

bool is_pipe(int stream) {
  struct stat found = {};
  return ::fstat(stream, &found) == 0 && S_ISFIFO(found.st_mode);
}

std::string name_of(int stream) {
  char text[256];
  const ssize_t length =
      ::readlink(fmt::format("/proc/self/fd/{}", stream).c_str(), text, sizeof text);
  return {text, length > 0 ? static_cast<std::size_t>(length) : 0};
}

}  // namespace

std::vector<std::string> describe_streams() {
  std::vector<std::string> streams;
  if (!is_pipe(STDIN_FILENO) && !is_pipe(STDOUT_FILENO) && !is_pipe(STDERR_FILENO)) return streams;
  for (int stream = 0; stream < kStreams; ++stream) streams.push_back(name_of(stream));
  return streams;
}

Result<void> write_descriptors(int images, const std::vector<std::string>& streams) {
  JsonWriter out;
  out.begin_array();
  for (const std::string& stream : streams) out.write(std::string_view(stream));
  out.end_array();
  const UniqueFd file = TRY(sys::open_at(images, kFile, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  return sys::write_all(file.get(), out.take()).context(kFile);
}

Result<std::vector<CriuInheritedFd>> read_descriptors(int images) {
  const std::string json = TRY(sys::read_file_at(images, kFile, kMaxBytes));
  JsonReader reader(json);
  std::vector<CriuInheritedFd> pipes;
  std::string stream;
  reader.begin_array();
  for (std::int32_t number = 0; reader.next_item() && reader.read(stream); ++number)
    if (number < kStreams && stream.starts_with("pipe:")) pipes.push_back({stream, number});
  reader.finish();
  if (!reader.ok()) return reader.error().with_kind(ErrorKind::kCorrupt).context(kFile);
  return pipes;
}

}  // namespace berth::container
