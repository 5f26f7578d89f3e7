#include "image/snapshot/remote/plugin_socket.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "sys/file.h"

namespace berth::image {
namespace {

constexpr std::size_t kMaxName = 64;
constexpr std::size_t kMaxSpec = 4096;
constexpr std::string_view kUnix = "unix://";

/// It becomes a part of paths.
bool is_name(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !name.empty() && name.size() <= kMaxName && is_letter(name.front()) &&
         std::ranges::all_of(
             name, [&](char c) { return is_letter(c) || c == '.' || c == '_' || c == '-'; });
}

Result<std::string> read_address(const std::string& path) {
  std::string text = TRY(sys::read_file(path, kMaxSpec));
  text.resize(text.find_last_not_of(" \t\r\n") + 1);
  if (text.starts_with(kUnix) && text.substr(kUnix.size()).starts_with('/'))
    return text.substr(kUnix.size());
  return fail(ErrorKind::kUnsupported,
              "{} has the address '{}': a storage plugin is reached by unix:///PATH", path,
              text.substr(0, 100));
}

}  // namespace

Result<std::optional<std::string>> find_plugin_socket(std::string_view name,
                                                      const PluginPlaces& places) {
  if (!is_name(name)) return std::optional<std::string>();
  for (const std::string& path : {fmt::format("{}/{}.sock", places.sockets, name),
                                  fmt::format("{}/{}/{}.sock", places.sockets, name, name)}) {
    struct stat st{};
    if (::stat(path.c_str(), &st) == 0 && S_ISSOCK(st.st_mode)) return std::optional(path);
  }
  for (const std::string& directory : places.specs) {
    auto address = read_address(fmt::format("{}/{}.spec", directory, name));
    if (address.ok()) return std::optional(std::move(*address));
    if (address.error().os_errno() != ENOENT) return std::move(address).error();
  }
  return std::optional<std::string>();
}

}  // namespace berth::image
