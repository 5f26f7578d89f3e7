// Images: the room's blocking calls, off the event loop, and the events they make.
#include <algorithm>

#include "base/log.h"
#include "engine/engine_impl.h"
#include "image/reference/reference.h"

namespace berth::engine {

Task<std::vector<image::LoadResult>> EngineImpl::load_images(ByteSource& archive) {
  auto load = [&] { return images_->load(archive); };
  auto loaded = co_await offload(uploads_, load);
  CO_TRY(const std::vector<image::LoadResult> images, std::move(loaded));
  for (const image::LoadResult& image : images) {
    const std::string& name = image.repo_tags.empty() ? image.id : image.repo_tags.front();
    publish_image(image.id, name, "load");
  }
  co_await count_images();
  co_return images;
}

Task<std::string> EngineImpl::import_image(ByteSource& tar,
                                           image::ImageService::ImportOptions options) {
  auto import = [&] { return images_->import(tar, options); };
  auto imported = co_await offload(uploads_, import);
  CO_TRY(const std::string id, std::move(imported));
  publish_image(id, options.reference.empty() ? id : options.reference, "import");
  co_await count_images();
  co_return id;
}

Task<image::PullResult> EngineImpl::pull_image(
    std::string reference, image::PullOptions options,
    std::function<void(const image::PullProgress&)> progress, std::stop_token stop) {
  std::stop_source either;
  const auto end = [&either] { either.request_stop(); };
  const std::stop_callback on_stop(stop, end);
  const std::stop_callback on_close(closing_.get_token(), end);
  auto pull = [&] { return images_->pull(reference, options, progress, either.get_token()); };
  auto pulled = co_await offload(pulls_, pull);
  CO_TRY(const image::PullResult image, std::move(pulled));
  publish_image(image.id, image.name, "pull");
  co_await count_images();
  co_return image;
}

Task<> EngineImpl::push_image(std::string reference, image::PushOptions options,
                              std::function<void(const image::PushProgress&)> progress,
                              std::stop_token stop) {
  std::stop_source either;
  const auto end = [&either] { either.request_stop(); };
  const std::stop_callback on_stop(stop, end);
  const std::stop_callback on_close(closing_.get_token(), end);
  // Events name the image by its id, which may change its names meanwhile.
  std::string id;
  auto push = [&] {
    if (const auto found = images_->find(reference); found.ok()) id = found->id;
    return images_->push(reference, options, progress, either.get_token());
  };
  auto pushed = co_await offload(pulls_, push);
  CO_TRY_VOID(std::move(pushed));
  publish_image(id.empty() ? reference : id, reference, "push");
  co_return Result<void>();
}

Task<> EngineImpl::save_images(std::vector<std::string> references, ByteSink& sink) {
  // Events name the images by their ids, which may change their names meanwhile.
  std::vector<std::string> ids;
  auto save = [&]() -> Result<void> {
    for (const std::string& reference : references)
      if (const auto found = images_->find(reference); found.ok()) ids.push_back(found->id);
    return images_->save(references, sink);
  };
  auto saved = co_await offload(exports_, save);
  CO_TRY_VOID(std::move(saved));
  for (const std::string& id : ids) publish_image(id, id, "save");
  co_return Result<void>();
}

Task<image::RemoveResult> EngineImpl::remove_image(std::string reference, bool force) {
  // Asked for on a pool thread: what is in use is settled before the work leaves the loop.
  const std::vector<std::string> used = images_in_use();
  auto in_use = [&](const std::string& id) { return std::ranges::find(used, id) != used.end(); };
  // Events name the image by its id, which is gone with the last of its names.
  std::string id;
  auto remove = [&] {
    if (const auto found = images_->find(reference); found.ok()) id = found->id;
    return images_->remove(reference, force, in_use);
  };
  auto result = co_await offload(pool_, remove);
  CO_TRY(const image::RemoveResult removed, std::move(result));
  for (const std::string& name : removed.untagged) publish_image(id, name, "untag");
  // Its layers are deleted with it, and are nothing that events tell of.
  if (std::ranges::find(removed.deleted, id) != removed.deleted.end())
    publish_image(id, id, "delete");
  co_await count_images();
  co_return removed;
}

std::vector<std::string> EngineImpl::images_in_use() const {
  std::vector<std::string> used = creating_from_;
  for (const Entry& workload : registry_.all()) used.push_back(workload->view.image_id);
  return used;
}

Task<PruneResult> EngineImpl::prune_images(std::function<bool(const image::Image&)> wanted) {
  auto look = [this] { return images_->list(); };
  auto listed = co_await offload(pool_, look);
  CO_TRY(const std::vector<image::Image> images, std::move(listed));
  PruneResult result;
  for (const image::Image& image : images) {
    // Asked again each time: a workload may have been made of it meanwhile.
    const std::vector<std::string> used = images_in_use();
    if (std::ranges::find(used, image.id) != used.end() || !wanted(image)) continue;
    std::vector<std::string> names = image.repo_tags;
    if (names.empty()) names.push_back(image.id);
    for (const std::string& name : names) {
      auto gone = co_await remove_image(name, false);
      if (!gone.ok()) {
        log::warning("prune images: {}", gone.error().message());
        continue;
      }
      for (std::string& untagged : gone->untagged)
        result.removed.untagged.push_back(std::move(untagged));
      for (std::string& deleted : gone->deleted)
        result.removed.deleted.push_back(std::move(deleted));
      result.freed += gone->freed;
    }
  }
  co_return result;
}

Task<> EngineImpl::tag_image(std::string source, std::string target) {
  CO_TRY(const image::Reference name, image::Reference::parse(target));
  auto tag = [&]() -> Result<std::string> {
    TRY(images_->tag(source, target));
    return TRY(images_->find(target)).id;
  };
  auto tagged = co_await offload(pool_, tag);
  CO_TRY(const std::string id, std::move(tagged));
  publish_image(id, name.with_default_tag().familiar(), "tag");
  co_return Result<void>();
}

Task<std::vector<image::Image>> EngineImpl::list_images() {
  auto list = [&] { return images_->list(); };
  co_return co_await offload(pool_, list);
}

Task<image::Image> EngineImpl::inspect_image(std::string reference) {
  auto inspect = [&] { return images_->inspect(reference); };
  co_return co_await offload(pool_, inspect);
}

Task<image::CheckReport> EngineImpl::check_images(image::CheckOptions options) {
  const std::vector<std::string> used = images_in_use();
  auto in_use = [&](const std::string& id) { return std::ranges::find(used, id) != used.end(); };
  auto check = [&] { return images_->check(options, in_use); };
  auto report = co_await offload(uploads_, check);
  co_await count_images();
  co_return report;
}

void EngineImpl::publish_image(const std::string& id, const std::string& name, std::string action) {
  events_.publish({.type = "image",
                   .action = std::move(action),
                   .actor = id,
                   .attributes = {{"name", name}},
                   .time = now()});
}

boost::asio::awaitable<void> EngineImpl::count_images() {
  auto list = [&] { return images_->list(); };
  if (auto images = co_await offload(pool_, list); images.ok()) image_count_ = images->size();
}

}  // namespace berth::engine
