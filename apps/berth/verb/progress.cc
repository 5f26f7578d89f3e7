#include "berth/verb/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "berth/client/json_stream.h"
#include "berth/client/registry_auth.h"
#include "berth/format/printable.h"
#include "berth/format/units.h"

namespace berth::cli {
namespace {

constexpr int kMostColumns = 50;
constexpr int kLeastColumns = 5;
/// Beside the bar: an id, a status, two sizes.
constexpr int kOtherColumns = 60;

int columns_of(std::FILE* out) {
  if (out == nullptr || ::isatty(::fileno(out)) == 0) return 0;
  winsize size = {};
  return ::ioctl(::fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string text_of(const OrderedJson& message, const char* name) {
  const auto member = message.find(name);
  return member != message.end() && member->is_string() ? member->get<std::string>()
                                                        : std::string();
}

std::int64_t number_of(const OrderedJson& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_number_integer() ? member->get<std::int64_t>() : 0;
}

}  // namespace

std::string progress_bar(std::int64_t current, std::int64_t total, int columns) {
  const std::string sizes = fmt::format("{}/{}", human_size(static_cast<double>(current)),
                                        human_size(static_cast<double>(total)));
  const int width = std::min(columns - kOtherColumns, kMostColumns);
  if (width < kLeastColumns || total <= 0) return sizes;
  const auto done = static_cast<int>(std::min(current, total) * width / total);
  return fmt::format(
      "[{}{}{}]  {}", std::string(static_cast<std::size_t>(done), '='), done < width ? ">" : "",
      std::string(static_cast<std::size_t>(std::max(width - done - 1, 0)), ' '), sizes);
}

void Progress::show(const OrderedJson& message) {
  if (out_ == nullptr || !message.is_object() || message.contains("aux")) return;
  // What comes from a registry by way of the engine must not steer the terminal.
  const std::string id = printable(text_of(message, "id"));
  std::string text = printable(text_of(message, "status"));
  const auto detail = message.find("progressDetail");
  const bool moves = detail != message.end() && detail->is_object();
  if (moves && !detail->empty()) {
    if (columns_ == 0) return;  // lines that say something for good are enough
    text +=
        " " + progress_bar(number_of(*detail, "current"), number_of(*detail, "total"), columns_);
  }
  if (moves && columns_ > 0 && !id.empty()) return show_moving(id, text);
  fmt::print(out_, "{}{}{}\n", id, id.empty() ? "" : ": ", text);
  lines_.clear();  // what comes from now on is below
}

void Progress::show_moving(const std::string& id, const std::string& text) {
  const auto [found, is_new] = lines_.try_emplace(id, static_cast<int>(lines_.size()));
  const int up = is_new ? 0 : static_cast<int>(lines_.size()) - found->second;
  // Up to its line, erased and written anew, and down again: ECMA-48 CUU, EL, CUD.
  if (up > 0) fmt::print(out_, "\x1b[{}A", up);
  fmt::print(out_, "\x1b[2K\r{}: {}\n", id, text);
  if (up > 1) fmt::print(out_, "\x1b[{}B", up - 1);
  std::fflush(out_);
}

Result<void> follow_progress(const Client& client, const Target& target, std::string_view reference,
                             std::FILE* shown) {
  std::string auth = TRY(registry_auth(reference));
  HttpConnection connection = TRY(client.open());
  TRY(client.send_with_auth(connection, "POST", target, std::move(auth), TRY(registry_config())));
  TRY(Client::receive_head(connection));
  JsonStream messages(connection);
  Progress progress(shown, columns_of(shown));
  while (const auto message = TRY(messages.next())) {
    if (const auto error = message->find("error"); message->is_object() && error != message->end())
      return fail(ErrorKind::kInternal, "{}",
                  error->is_string() ? error->get<std::string>() : "it failed");
    progress.show(*message);
  }
  return {};
}

}  // namespace berth::cli
