#include "container/cgroup/usage_files.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace berth::container {
namespace {

// No host has more CPUs or memory nodes; a list that says so is damaged.
constexpr std::uint64_t kMaxListed = 1U << 13;

std::optional<double> parse_percent(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

PressureLine parse_pressure(std::span<const std::string_view> fields) {
  PressureLine line;
  for (const std::string_view field : fields) {
    const auto equals = field.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = field.substr(0, equals);
    const std::string_view value = field.substr(equals + 1);
    if (name == "avg10") line.avg10 = parse_percent(value).value_or(0);
    if (name == "avg60") line.avg60 = parse_percent(value).value_or(0);
    if (name == "avg300") line.avg300 = parse_percent(value).value_or(0);
    if (name == "total") line.total = parse_number(value).value_or(0);
  }
  return line;
}

}  // namespace

std::optional<std::uint64_t> parse_number(std::string_view text) {
  if (text == "max") return kNoLimit;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find_first_of(" \t", at), text.size());
    if (end > at) words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

void for_each_line(const CgroupDirectory& directory, const std::string& file,
                   const std::function<void(std::span<const std::string_view>)>& visit) {
  const auto text = directory.read(file);
  if (!text.ok()) return;
  const std::string_view all = *text;
  for (std::size_t at = 0; at < all.size();) {
    const auto end = std::min(all.find('\n', at), all.size());
    const auto words = split_words(all.substr(at, end - at));
    if (!words.empty()) visit(words);
    at = end + 1;
  }
}

void for_each_pair(const CgroupDirectory& directory, const std::string& file,
                   const std::function<void(std::string_view, std::uint64_t)>& visit) {
  for_each_line(directory, file, [&](std::span<const std::string_view> words) {
    if (words.size() != 2) return;
    if (const auto value = parse_number(words[1])) visit(words[0], *value);
  });
}

std::uint64_t number_in(const CgroupDirectory& directory, const std::string& file) {
  const auto text = directory.read(file);
  return text.ok() ? parse_number(*text).value_or(0) : 0;
}

std::vector<std::uint16_t> list_in(const CgroupDirectory& directory, const std::string& file) {
  std::vector<std::uint16_t> list;
  const auto text = directory.read(file);
  if (!text.ok()) return list;
  const std::string_view all = *text;
  for (std::size_t at = 0; at < all.size();) {
    const auto end = std::min(all.find(',', at), all.size());
    const std::string_view range = all.substr(at, end - at);
    const auto dash = std::min(range.find('-'), range.size());
    const auto first = parse_number(range.substr(0, dash));
    const auto last = dash == range.size() ? first : parse_number(range.substr(dash + 1));
    if (!first || !last || *last >= kMaxListed) return {};
    for (std::uint64_t i = *first; i <= *last; ++i) list.push_back(static_cast<std::uint16_t>(i));
    at = end + 1;
  }
  return list;
}

std::optional<Pressure> pressure_in(const CgroupDirectory& directory, const std::string& file) {
  if (!directory.read(file).ok()) return std::nullopt;
  Pressure pressure;
  for_each_line(directory, file, [&](std::span<const std::string_view> words) {
    if (words[0] == "some") pressure.some = parse_pressure(words.subspan(1));
    if (words[0] == "full") pressure.full = parse_pressure(words.subspan(1));
  });
  return pressure;
}

std::vector<std::string> hugepage_sizes(const CgroupDirectory& directory, std::string_view suffix) {
  constexpr std::string_view kPrefix = "hugetlb.";
  std::vector<std::string> sizes;
  UniqueFd copy(::openat(directory.fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!copy.valid()) return sizes;
  const std::unique_ptr<DIR, int (*)(DIR*)> list(::fdopendir(copy.get()), ::closedir);
  if (!list) return sizes;
  (void)copy.release();  // the DIR owns it
  while (const dirent* entry = ::readdir(list.get())) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with(kPrefix) || !name.ends_with(suffix)) continue;
    const auto size = name.substr(kPrefix.size(), name.size() - kPrefix.size() - suffix.size());
    if (size.find('.') == std::string_view::npos) sizes.emplace_back(size);
  }
  return sizes;
}

Result<Usage> read_usage(const CgroupManager& manager) {
  if (manager.version() == CgroupVersion::kV1) {
    if (!manager.directory_of("memory") && !manager.directory_of("pids"))
      return fail(ErrorKind::kNotFound, "the container's cgroups are gone");
    return read_usage_v1(manager);
  }
  const CgroupDirectory* directory = manager.directory_of({});
  if (!directory) return fail(ErrorKind::kNotFound, "the container's cgroup is gone");
  return read_usage_v2(*directory);
}

}  // namespace berth::container
