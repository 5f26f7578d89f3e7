#include "berth/verb/pull_image.h"

#include "berth/verb/progress.h"

namespace berth::cli {
ImageName split_reference(std::string_view reference) {
  if (const auto at = reference.find('@'); at != std::string_view::npos)
    return {std::string(reference.substr(0, at)), std::string(reference.substr(at + 1))};
  const auto slash = reference.rfind('/');
  const auto colon = reference.find(':', slash == std::string_view::npos ? 0 : slash);
  if (colon == std::string_view::npos) return {std::string(reference), "latest"};
  return {std::string(reference.substr(0, colon)), std::string(reference.substr(colon + 1))};
}

Result<void> pull_image(const Client& client, std::string_view reference, std::string_view platform,
                        std::FILE* shown) {
  const ImageName name = split_reference(reference);
  Target target("/images/create");
  target.query("fromImage", name.repository).query("tag", name.tag).maybe("platform", platform);
  return follow_progress(client, target, reference, shown);
}

Result<void> pull_all_tags(const Client& client, const std::string& repository,
                           std::string_view platform, std::FILE* shown) {
  Target target("/images/create");
  target.query("fromImage", repository).maybe("platform", platform);
  return follow_progress(client, target, repository, shown);
}

}  // namespace berth::cli
