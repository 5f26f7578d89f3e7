#include "image/snapshot/remote/graph_plugin.h"

#include <algorithm>
#include <climits>

#include "base/scope_exit.h"
#include "image/archive/entry_path.h"

namespace berth::image {
namespace {

constexpr const char* kContentType = "application/vnd.docker.plugins.v1.2+json";
/// A list of changes is by far the longest answer: half a million of them.
constexpr std::size_t kMaxAnswer = 64U << 20;
/// Of what it says about an error.
constexpr std::size_t kMaxText = 500;
/// Of an archive: what a layer may have, and as much again for headers.
constexpr std::uint64_t kMaxArchive = 2 * ApplyLimits{}.max_bytes;
constexpr std::int64_t kMaxSize = std::int64_t{1} << 50;

/// An archive on its way to a plugin.
class Archive final : public ByteSource {
 public:
  explicit Archive(ByteSource& from) : from_(from) {}
  Result<std::size_t> read(std::span<std::byte> into) override {
    const std::size_t count = TRY(from_.read(into));
    complete_ = count == 0;
    sent_ += count;
    if (sent_ <= kMaxArchive) return count;
    return fail(ErrorKind::kExhausted, "the layer's archive has more than {} bytes", kMaxArchive);
  }
  bool complete() const { return complete_; }

 private:
  ByteSource& from_;
  std::uint64_t sent_ = 0;
  bool complete_ = false;
};

Result<std::uint64_t> size_in(const Json& answer) {
  const std::int64_t size = TRY(get_int(answer, "Size"));
  if (size < 0 || size > kMaxSize) return fail(ErrorKind::kInvalid, "there is no size {}", size);
  return static_cast<std::uint64_t>(size);
}

/// It is bind-mounted, and shown to containers as their root.
Result<std::string> directory_in(const Json& answer) {
  std::string directory = TRY(get_string(answer, "Dir"));
  const bool good = directory.starts_with('/') && directory.size() < PATH_MAX &&
                    directory.find_first_not_of('/') != std::string::npos &&
                    directory.find('\0') == std::string::npos &&
                    (directory + "/").find("/../") == std::string::npos;
  if (!good)
    return fail(ErrorKind::kInvalid, "{} is no directory of a layer", quote_name(directory));
  return directory;
}

}  // namespace

HttpRequest GraphPlugin::request_for(std::string_view method) const {
  HttpRequest request;
  request.method = "POST";
  request.url = fmt::format("http://plugin/{}", method);
  request.fields = {{"Accept", kContentType}, {"Content-Type", kContentType}, {"Expect", ""}};
  request.socket = socket_;
  request.patience = patience_;
  return request;
}

Result<Json> GraphPlugin::answer_of(std::string_view method, HttpRequest request) const {
  const std::string noun = fmt::format("storage plugin {} ({}): {}", name_, socket_, method);
  auto response = TRY(client_.send(request).context(noun));
  const std::string text = TRY(response.text(kMaxAnswer).context(noun));
  auto answer = parse_json(text, kMaxAnswer);
  const bool is_object = answer.ok() && answer->is_object();
  const std::string said =
      is_object ? get_string(*answer, "Err").value_or("an error that is no text") : "";
  if (!said.empty()) {
    return fail(ErrorKind::kInternal, "{}: it says: {}", noun, said.substr(0, kMaxText));
  }
  if (response.status == 404) {
    return fail(ErrorKind::kUnsupported, "{}: it does not know this call", noun);
  }
  if (response.status != 200) {
    return fail(ErrorKind::kInternal, "{}: status {}: {}", noun, response.status,
                quote_name(text.substr(0, kMaxText)));
  }
  if (!is_object) return fail(ErrorKind::kInternal, "{}: its answer is no JSON object", noun);
  return answer;
}

Result<Json> GraphPlugin::call(std::string_view method, const Json& request) const {
  HttpRequest post = request_for(method);
  post.body = dump_json(request);
  return answer_of(method, std::move(post));
}

Result<std::unique_ptr<GraphPlugin>> GraphPlugin::open(std::string name, std::string socket,
                                                       const std::string& home,
                                                       std::chrono::milliseconds patience) {
  std::unique_ptr<GraphPlugin> plugin(
      new GraphPlugin(std::move(name), std::move(socket), patience));
  auto activated = plugin->call("Plugin.Activate", Json::object());
  if (!activated.ok()) return std::move(activated).error().with_kind(ErrorKind::kUnsupported);
  const auto kinds = TRY(get_strings(*activated, "Implements"));
  if (std::ranges::find(kinds, "GraphDriver") == kinds.end()) {
    return fail(ErrorKind::kUnsupported, "plugin {} at {} is no storage plugin (GraphDriver)",
                plugin->name_, plugin->socket_);
  }
  TRY(plugin->call("GraphDriver.Init", {{"Home", home},
                                        {"Opts", Json::array()},
                                        {"UIDMaps", Json::array()},
                                        {"GIDMaps", Json::array()}}));
  return plugin;
}

Result<void> GraphPlugin::create(const std::string& id, const std::string& parent,
                                 Access access) const {
  const char* method =
      access == Access::kReadOnly ? "GraphDriver.Create" : "GraphDriver.CreateReadWrite";
  TRY(call(method,
           {{"ID", id}, {"Parent", parent}, {"MountLabel", ""}, {"StorageOpt", Json::object()}}));
  return {};
}

Result<void> GraphPlugin::remove(const std::string& id) const {
  const Json asked = TRY(call("GraphDriver.Exists", {{"ID", id}}));
  if (!TRY(get_bool(asked, "Exists"))) return {};
  TRY(call("GraphDriver.Remove", {{"ID", id}}));
  return {};
}

Result<std::string> GraphPlugin::get(const std::string& id) const {
  const Json answer = TRY(call("GraphDriver.Get", {{"ID", id}, {"MountLabel", ""}}));
  return directory_in(answer).context(fmt::format("storage plugin {}", name_));
}

Result<void> GraphPlugin::put(const std::string& id) const {
  TRY(call("GraphDriver.Put", {{"ID", id}}));
  return {};
}

Result<std::uint64_t> GraphPlugin::apply_diff(const std::string& id, const std::string& parent,
                                              ByteSource& tar) const {
  constexpr const char* kMethod = "GraphDriver.ApplyDiff";
  Archive archive(tar);
  HttpRequest request = request_for(fmt::format("{}?id={}&parent={}", kMethod, id, parent));
  request.source = &archive;
  auto answered = answer_of(kMethod, std::move(request));
  // What it says of an archive is about the archive, as far as anyone can tell.
  if (!answered.ok() && archive.complete() && answered.error().kind() == ErrorKind::kInternal)
    return std::move(answered).error().with_kind(ErrorKind::kInvalid);
  const Json answer = TRY(std::move(answered));
  if (!archive.complete()) {
    return fail(ErrorKind::kInternal, "storage plugin {} did not read all of a layer", name_);
  }
  return size_in(answer).context(fmt::format("storage plugin {}", name_));
}

Result<SnapshotUsage> GraphPlugin::usage(const std::string& id, const std::string& parent) const {
  const Json layer = {{"ID", id}, {"Parent", parent}};
  const Json size = TRY(call("GraphDriver.DiffSize", layer));
  const Json changes = TRY(call("GraphDriver.Changes", layer));
  const Json* list = find_member(changes, "Changes");
  return SnapshotUsage{.bytes = TRY(size_in(size).context(fmt::format("storage plugin {}", name_))),
                       .inodes = 1 + (list != nullptr && list->is_array() ? list->size() : 0)};
}

Result<std::vector<std::pair<std::string, std::string>>> GraphPlugin::status() const {
  const Json answer = TRY(call("GraphDriver.Status", Json::object()));
  std::vector<std::pair<std::string, std::string>> pairs;
  const Json* list = find_member(answer, "Status");
  if (list == nullptr || !list->is_array()) return pairs;
  for (const Json& pair : *list) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string())
      continue;
    pairs.emplace_back(pair[0].get<std::string>().substr(0, kMaxText),
                       pair[1].get<std::string>().substr(0, kMaxText));
  }
  return pairs;
}

}  // namespace berth::image
