#include "api/docker/wire/progress_lines.h"

#include "base/json.h"

namespace berth::docker {
namespace {

using Step = image::PullProgress::Step;

constexpr std::size_t kShownDigits = 12;

std::string line(const OrderedJson& json) {
  return dump_json(json) + "\r\n";
}

std::string short_id(std::string_view digest) {
  const auto colon = digest.find(':');
  return std::string(digest.substr(colon == std::string_view::npos ? 0 : colon + 1, kShownDigits));
}

std::string_view text_of(Step step) {
  switch (step) {
    case Step::kFound:
      return "Pulling fs layer";
    case Step::kExists:
      return "Already exists";
    case Step::kDownloading:
      return "Downloading";
    case Step::kDownloaded:
      return "Download complete";
    case Step::kDone:
      return "Pull complete";
  }
  return "";
}

}  // namespace

std::string pull_line(const image::PullProgress& progress) {
  OrderedJson detail = OrderedJson::object();
  if (progress.step == Step::kDownloading)
    detail = {{"current", progress.current}, {"total", progress.total}};
  return line({{"status", text_of(progress.step)},
               {"progressDetail", detail},
               {"id", short_id(progress.layer)}});
}

std::string pull_begin_line(std::string_view repository, std::string_view tag) {
  return line({{"status", fmt::format("Pulling from {}", repository)}, {"id", tag}});
}

std::string pull_end_lines(const image::PullResult& result) {
  return line({{"status", "Digest: " + result.digest}}) +
         line({{"status", (result.is_new ? "Status: Downloaded newer image for "
                                         : "Status: Image is up to date for ") +
                              result.name}});
}

std::string push_line(const image::PushProgress& progress) {
  using PushStep = image::PushProgress::Step;
  OrderedJson detail = OrderedJson::object();
  std::string status;
  switch (progress.step) {
    case PushStep::kPreparing:
      status = "Preparing";
      break;
    case PushStep::kExists:
      status = "Layer already exists";
      break;
    case PushStep::kMounted:
      status = "Mounted from " + progress.name;
      break;
    case PushStep::kPushing:
      status = "Pushing";
      detail = {{"current", progress.current}, {"total", progress.total}};
      break;
    case PushStep::kPushed:
      status = "Pushed";
      break;
    case PushStep::kTagged:
      return line({{"status", fmt::format("{}: digest: {} size: {}", progress.name, progress.digest,
                                          progress.total)}}) +
             line({{"progressDetail", detail},
                   {"aux",
                    {{"Tag", progress.name},
                     {"Digest", progress.digest},
                     {"Size", progress.total}}}});
  }
  return line({{"status", status}, {"progressDetail", detail}, {"id", short_id(progress.layer)}});
}

std::string push_begin_line(std::string_view repository) {
  return line({{"status", fmt::format("The push refers to repository [{}]", repository)}});
}

std::string error_line(std::string_view message) {
  return line({{"errorDetail", {{"message", message}}}, {"error", message}});
}

}  // namespace berth::docker
