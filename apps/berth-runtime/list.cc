// berth-runtime list [--format table|json] [--quiet]: the containers below --root.
#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <optional>

#include "berth-runtime/container_state.h"
#include "berth-runtime/launch.h"
#include "sys/file.h"

namespace berth::runtime {
namespace {

struct Entry {
  Record record;
  Status status;
  std::string owner;
};

// The names of the directories below the root, sorted. A root that nobody has used yet is not
// there.
Result<std::vector<std::string>> directories(const std::string& root) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> list(::opendir(root.c_str()), ::closedir);
  if (!list) {
    if (errno == ENOENT && root == Globals().root) return names;
    return fail_errno("cannot list {}", root);
  }
  while (const dirent* entry = ::readdir(list.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::ranges::sort(names);
  return names;
}

// From passwd(5) itself: the name services of libc are libraries that a static program has not.
std::string name_of_user(uid_t uid) {
  const std::string wanted = fmt::format("{}", uid);
  const auto text = sys::read_file("/etc/passwd");
  const std::string_view all = text.ok() ? std::string_view(*text) : std::string_view();
  for (std::size_t at = 0; at < all.size();) {
    const auto end = std::min(all.find('\n', at), all.size());
    const std::string_view line = all.substr(at, end - at);
    at = end + 1;
    const auto name = line.find(':');
    if (name == std::string_view::npos) continue;
    const auto password = line.find(':', name + 1);
    if (password == std::string_view::npos) continue;
    const std::string_view rest = line.substr(password + 1);
    if (rest.substr(0, rest.find(':')) == wanted) return std::string(line.substr(0, name));
  }
  return "#" + wanted;
}

// One that is damaged, or made or deleted just now, is told of and hides no other.
std::vector<Entry> load_all(const Store& store, const std::string& root,
                            const std::vector<std::string>& names) {
  std::vector<Entry> entries;
  for (const std::string& name : names) {
    struct stat directory = {};
    if (::stat((root + "/" + name).c_str(), &directory) != 0 || !S_ISDIR(directory.st_mode))
      continue;
    auto record = store.load(name);
    if (!record.ok()) {
      fmt::print(stderr, "load container {}: {}\n", name, record.error().message());
      continue;
    }
    const Status status = store.status(*record);
    entries.push_back({std::move(*record), status, name_of_user(directory.st_uid)});
  }
  return entries;
}

constexpr std::size_t kColumns = 6;
using Row = std::array<std::string, kColumns>;

// Characters, not bytes: the path of a bundle may be in any script.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

void print_table(const std::vector<Entry>& entries) {
  constexpr std::size_t kLeast = 12, kGap = 3;
  std::vector<Row> rows = {{"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}};
  for (const Entry& entry : entries) {
    const Record& record = entry.record;
    const pid_t pid = entry.status == Status::kStopped ? 0 : record.pid;
    rows.push_back({record.id, fmt::format("{}", pid), std::string(to_string(entry.status)),
                    record.bundle, record.created, entry.owner});
  }
  std::array<std::size_t, kColumns> widths;
  widths.fill(kLeast);
  for (const Row& row : rows)
    for (std::size_t i = 0; i < kColumns; ++i)
      widths[i] = std::max(widths[i], width_of(row[i]) + kGap);
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i + 1 < kColumns; ++i)
      line += row[i] + std::string(widths[i] - width_of(row[i]), ' ');
    fmt::print("{}{}\n", line, row.back());
  }
}

void print_json(const Store& store, const std::vector<Entry>& entries) {
  container::JsonWriter out;
  out.begin_array();
  for (const Entry& entry : entries)
    write_state(out, store, entry.record, entry.status, entry.owner);
  out.end_array();
  // As runc: no container is no list.
  fmt::print("{}\n", entries.empty() ? "null" : out.take());
}

}  // namespace

Result<int> list(const Globals& globals, Words words) {
  std::string format = "table";
  bool quiet = false;
  Flags flags;
  flags.add("format", 'f', &format);
  flags.add("quiet", 'q', &quiet);
  if (!TRY(flags.parse(words)).empty()) return fail(ErrorKind::kInvalid, "list takes no arguments");
  if (format != "table" && format != "json")
    return fail(ErrorKind::kInvalid, "invalid format option '{}': table or json", format);
  const Store store(globals.root);
  const auto entries = load_all(store, globals.root, TRY(directories(globals.root)));
  if (quiet) {
    for (const Entry& entry : entries) fmt::print("{}\n", entry.record.id);
  } else if (format == "json") {
    print_json(store, entries);
  } else {
    print_table(entries);
  }
  return 0;
}

}  // namespace berth::runtime
