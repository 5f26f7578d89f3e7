// save(): images as an archive that Docker, podman and whoever reads OCI layouts load. Sources:
// image-spec image-layout.md; Docker's image spec v1.2, "Combined Image JSON".
#include <algorithm>
#include <set>

#include "base/json.h"
#include "base/log.h"
#include "image/archive/tar_writer.h"
#include "image/content/hasher.h"
#include "image/manifest/manifest.h"
#include "image/service/image_service_impl.h"
#include "sys/file.h"

namespace berth::image {
namespace {

constexpr std::size_t kCopyBuffer = 256U << 10;

std::string path_of(const std::string& digest) {
  std::string path = "blobs/" + digest;
  path[path.find(':')] = '/';
  return path;
}

TarEntry file_entry(std::string path, std::uint64_t size) {
  TarEntry entry;
  entry.path = std::move(path);
  entry.mode = 0644;
  entry.size = size;
  return entry;
}

}  // namespace

/// One archive.
class Save {
 public:
  Save(ImageServiceImpl& service, ByteSink& sink)
      : service_(service), pins_(service), writer_(sink) {}

  Result<void> run(const std::vector<std::string>& references) {
    for (const std::string& reference : references) TRY(add(reference));
    for (const Saved& image : images_) {
      for (const std::string& blob : image.record.blobs) TRY(write_blob(blob));
      TRY(write_blob(image.record.id));
      TRY(write_blob(image.record.manifest));
    }
    TRY(write_text("index.json", TRY(index())));
    TRY(write_text("manifest.json", TRY(docker_manifest())));
    TRY(write_text("oci-layout", R"({"imageLayoutVersion":"1.0.0"})"));
    return writer_.finish();
  }

 private:
  struct Saved {
    ImageRecord record;
    std::vector<Reference> names;  // those that were asked for
  };

  Result<void> add(const std::string& text) {
    const auto name = Reference::parse(text);
    if (name.ok() && name->tag().empty() && name->digest().empty()) {
      bool found = false;
      for (const ImageRecord& record : TRY(service_.images_.list()))
        for (const std::string& other : record.names)
          if (const auto tagged = Reference::parse(other);
              tagged.ok() && tagged->digest().empty() &&
              tagged->repository() == name->repository()) {
            TRY(add_record(record, &*tagged));
            found = true;
          }
      if (found) return {};
    }
    const auto resolved = TRY(service_.resolve(text));
    const auto tagged = Reference::parse(resolved.name);
    return add_record(resolved.record,
                      tagged.ok() && tagged->digest().empty() ? &*tagged : nullptr);
  }

  Result<void> add_record(const ImageRecord& record, const Reference* name) {
    auto found =
        std::ranges::find(images_, record.id, [](const Saved& image) { return image.record.id; });
    if (found == images_.end()) {
      const auto whole = TRY(service_.whole_image(record.id, pins_));
      if (!whole)
        return fail(ErrorKind::kCorrupt,
                    "image {} is here without its blobs: pull or load it again", record.id);
      pins_.add(record.id);
      images_.push_back({*whole, {}});
      found = std::prev(images_.end());
    }
    if (name != nullptr && std::ranges::find(found->names, *name) == found->names.end())
      found->names.push_back(*name);
    return {};
  }

  // Whoever loads it would find a damaged blob, but not know where it was damaged.
  Result<void> write_blob(const std::string& digest) {
    if (!written_.insert(digest).second) return {};
    const Digest wanted = TRY(Digest::parse(digest));
    sys::FdSource file(TRY(service_.content_.open_blob(wanted)));
    TRY(writer_.begin(file_entry(path_of(digest), TRY(service_.content_.stat(wanted)).size)));
    HashingSource hashed(file, Hasher(wanted));
    std::vector<std::byte> buffer(kCopyBuffer);
    while (const std::size_t count = TRY(hashed.read(buffer)))
      TRY(writer_.write(std::span(buffer).first(count)));
    if (hashed.finish() == wanted) return {};
    // The client only sees its archive end.
    log::warning("save: blob {} is damaged on disk", digest);
    return fail(ErrorKind::kCorrupt, "blob {} is damaged on disk: pull or load the image again",
                digest);
  }

  Result<void> write_text(std::string path, const std::string& text) {
    TRY(writer_.begin(file_entry(std::move(path), text.size())));
    return writer_.write(std::as_bytes(std::span(text)));
  }

  Result<std::string> index() const {
    OrderedJson manifests = OrderedJson::array();
    for (const Saved& image : images_) {
      const Digest digest = TRY(Digest::parse(image.record.manifest));
      const std::string text = TRY(service_.content_.read(digest, kMaxJsonBytes));
      const OrderedJson entry = {{"mediaType", TRY(media_type_of(text))},
                                 {"digest", image.record.manifest},
                                 {"size", text.size()}};
      if (image.names.empty()) manifests.push_back(entry);
      for (const Reference& name : image.names) {
        OrderedJson named = entry;
        named["annotations"] = {{"io.containerd.image.name", name.str()},
                                {"org.opencontainers.image.ref.name", name.tag()}};
        manifests.push_back(std::move(named));
      }
    }
    return dump_json(OrderedJson{{"schemaVersion", 2},
                                 {"mediaType", "application/vnd.oci.image.index.v1+json"},
                                 {"manifests", std::move(manifests)}});
  }

  Result<std::string> docker_manifest() const {
    OrderedJson all = OrderedJson::array();
    for (const Saved& image : images_) {
      OrderedJson tags = OrderedJson::array();
      for (const Reference& name : image.names) tags.push_back(name.familiar());
      OrderedJson layers = OrderedJson::array();
      for (const Descriptor& layer : TRY(service_.read_manifest(image.record)).layers)
        layers.push_back(path_of(layer.digest));
      all.push_back({{"Config", path_of(image.record.id)},
                     {"RepoTags", tags.empty() ? OrderedJson() : std::move(tags)},
                     {"Layers", std::move(layers)}});
    }
    return dump_json(all);
  }

  ImageServiceImpl& service_;
  ImageServiceImpl::Pins pins_;
  TarWriter writer_;
  std::vector<Saved> images_;
  std::set<std::string> written_;
};

Result<void> ImageServiceImpl::save(const std::vector<std::string>& references, ByteSink& sink) {
  return Save(*this, sink).run(references);
}

}  // namespace berth::image
