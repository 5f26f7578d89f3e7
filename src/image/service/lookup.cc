#include <algorithm>

#include "base/json.h"
#include "base/log.h"
#include "image/service/image_service_impl.h"
#include "image/store/image_config.h"

namespace berth::image {
namespace {

constexpr std::string_view kIdPrefix = "sha256:";
constexpr std::size_t kIdDigits = 64;

Error no_such_image(std::string_view name) {
  return fail(ErrorKind::kNotFound, "No such image: {}", name);
}

/// "sha256:ab" for "ab", "sha256:ab" and whole ids; empty for what cannot be the start of one.
std::string id_prefix_of(std::string_view text) {
  const std::string_view hex = text.starts_with(kIdPrefix) ? text.substr(kIdPrefix.size()) : text;
  if (!is_lower_hex(hex) || hex.size() > kIdDigits) return {};
  return fmt::format("{}{}", kIdPrefix, hex);
}

/// Adds what the row tells to what the config does.
Result<void> add_row(Image& image, const ImageRecord& record) {
  image.id = record.id;
  image.size = record.size;
  image.top_snapshot = record.top;
  for (const std::string& name : record.names) {
    const Reference reference = TRY(Reference::parse(name));
    (reference.digest().empty() ? image.repo_tags : image.repo_digests)
        .push_back(reference.familiar());
  }
  return {};
}

}  // namespace

Result<ImageServiceImpl::Resolved> ImageServiceImpl::resolve(std::string_view reference) const {
  const std::string prefix = id_prefix_of(reference);
  const bool whole_id = prefix.size() == kIdPrefix.size() + kIdDigits;
  std::string shown(reference);
  if (!whole_id) {  // a name comes first: "cafe" is an image's name before it is the start of an id
    const Reference parsed = TRY(Reference::parse(reference)).with_default_tag();
    shown = parsed.familiar();
    const Reference exact =
        parsed.digest().empty() ? parsed : parsed.at(TRY(Digest::parse(parsed.digest())));
    if (const auto id = TRY(images_.id_of(exact.str()))) {
      auto record = TRY(images_.get(*id));
      if (!record) return no_such_image(shown);  // removed meanwhile
      return Resolved{std::move(*record), exact.str()};
    }
  }
  if (prefix.empty()) return no_such_image(shown);
  const auto ids = TRY(images_.ids_starting_with(prefix));
  if (ids.size() > 1) {
    return fail(ErrorKind::kConflict, "image id {} is ambiguous: give more of its digits",
                reference);
  }
  auto record = ids.empty() ? std::nullopt : TRY(images_.get(ids.front()));
  if (!record) return no_such_image(shown);
  return Resolved{std::move(*record), {}};
}

Result<Image> ImageServiceImpl::describe(const ImageRecord& record) const {
  const Digest id = TRY(Digest::parse(record.id));
  Image image =
      TRY(parse_image_config(TRY(content_.read(id, kMaxJsonBytes))).context("image " + record.id));
  TRY(add_row(image, record));
  return image;
}

Result<Image> ImageServiceImpl::find(std::string_view reference) const {
  return describe(TRY(resolve(reference)).record);
}

Result<Image> ImageServiceImpl::inspect(std::string_view reference) const {
  Image image = TRY(find(reference));
  for (const std::string& chain_id : chain_ids(image.diff_ids))
    image.layer_sizes.push_back(TRY(images_.layer_size(chain_id)));
  return image;
}

Result<std::vector<Image>> ImageServiceImpl::list() const {
  std::vector<Image> images;
  for (const ImageRecord& record : TRY(images_.list())) {
    auto image = describe(record);
    if (!image.ok()) {
      if (!TRY(images_.get(record.id))) continue;  // removed since the rows were read
      // One damaged file must not hide all other images.
      log::warning("image {}: {}", record.id, image.error().message());
      image = Image();
      TRY(add_row(*image, record));
    }
    images.push_back(std::move(*image));
  }
  std::ranges::stable_sort(images, std::ranges::greater(), &Image::created);
  return images;
}

Result<std::size_t> ImageServiceImpl::count() const {
  return images_.count();
}

Result<void> ImageServiceImpl::tag(std::string_view source, std::string_view target) {
  const Reference name = TRY(Reference::parse(target));
  if (!name.digest().empty()) {
    return fail(ErrorKind::kInvalid, "refusing to create a tag with a digest reference");
  }
  return images_.set_name(name.with_default_tag().str(), TRY(resolve(source)).record.id);
}

}  // namespace berth::image
