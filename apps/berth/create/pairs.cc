#include "berth/create/pairs.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <optional>

#include "base/unique_fd.h"

namespace berth::cli {
namespace {

// An environment larger than this could not be given to execve(2).
constexpr std::size_t kMaxPairsFile = std::size_t{2} << 20;
constexpr std::string_view kSpace = " \t";

std::optional<std::string> with_environment(std::string_view pair) {
  if (pair.find('=') != std::string_view::npos) return std::string(pair);
  const std::string name(pair);
  const char* value = std::getenv(name.c_str());
  if (!value) return std::nullopt;
  return name + "=" + value;
}

Result<void> check_name(std::string_view pair) {
  if (pair.empty() || pair[0] == '=')
    return fail(ErrorKind::kInvalid, "no variable name on line '{}'", pair);
  const std::string_view name = pair.substr(0, pair.find('='));
  if (name.find_first_of(kSpace) != std::string_view::npos)
    return fail(ErrorKind::kInvalid, "variable '{}' contains whitespaces", name);
  return {};
}

// The settings of a file: one a line, empty lines and those that start with # left out, spaces
// before them ignored.
Result<std::vector<std::string>> read_pairs_file(std::string_view flag, const std::string& path) {
  std::vector<std::string> pairs;
  const std::string text = TRY(read_flag_file(flag, path, kMaxPairsFile));
  std::string_view rest = text;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);  // a byte order mark
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    line.remove_prefix(std::min(line.find_first_not_of(kSpace), line.size()));
    if (line.empty() || line[0] == '#') continue;
    if (line.find('\0') != std::string_view::npos)
      return fail(ErrorKind::kInvalid, "--{}: {} is not a text file", flag, path);
    auto named = check_name(line);
    if (!named.ok()) return std::move(named).context(fmt::format("--{}: {}", flag, path)).error();
    pairs.emplace_back(line);
  }
  return pairs;
}

}  // namespace

Result<std::vector<std::string>> read_environment(const std::vector<std::string>& files,
                                                  const std::vector<std::string>& flags) {
  std::vector<std::string> environment;
  const auto add = [&](std::string_view pair) {
    if (auto complete = with_environment(pair)) environment.push_back(std::move(*complete));
  };
  for (const auto& file : files)
    for (const auto& pair : TRY(read_pairs_file("env-file", file))) add(pair);
  for (const auto& pair : flags) {
    if (pair.empty() || pair[0] == '=')
      return fail(
          ErrorKind::kInvalid,
          "invalid argument \"{}\" for \"-e, --env\" flag: invalid environment variable: {}", pair,
          pair);
    add(pair);
  }
  return environment;
}

Result<std::map<std::string, std::string>> read_labels(const std::vector<std::string>& files,
                                                       const std::vector<std::string>& flags) {
  std::vector<std::string> pairs;
  for (const auto& file : files)
    for (auto& pair : TRY(read_pairs_file("label-file", file))) pairs.push_back(std::move(pair));
  pairs.insert(pairs.end(), flags.begin(), flags.end());
  return to_map(pairs);
}

std::map<std::string, std::string> to_map(const std::vector<std::string>& pairs) {
  std::map<std::string, std::string> map;
  for (const auto& pair : pairs) {
    const auto equals = pair.find('=');
    map[pair.substr(0, equals)] = equals == std::string::npos ? "" : pair.substr(equals + 1);
  }
  return map;
}

Result<std::string> read_flag_file(std::string_view flag, const std::string& path,
                                   std::size_t max_bytes) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return fail_errno("--{}: opening {}", flag, path);
  std::string text;
  std::array<char, 16384> piece;
  for (;;) {
    const ssize_t got = ::read(file.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("--{}: reading {}", flag, path);
    if (got == 0) return text;
    if (text.size() + static_cast<std::size_t>(got) > max_bytes)
      return fail(ErrorKind::kExhausted, "--{}: {} is larger than {} bytes", flag, path, max_bytes);
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
}

Result<std::vector<std::string>> split_csv(std::string_view text) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"') {
        fields.back() += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        fields.back() += text[++i];
      } else {
        quoted = false;
      }
    } else if (c == ',') {
      fields.emplace_back();
    } else if (c == '"' && fields.back().empty()) {
      quoted = true;
    } else if (c == '"') {
      return fail(ErrorKind::kInvalid, "a quote in the middle of '{}': quote the whole field",
                  text);
    } else {
      fields.back() += c;
    }
  }
  if (quoted) return fail(ErrorKind::kInvalid, "a quote is not closed in '{}'", text);
  return fields;
}

}  // namespace berth::cli
