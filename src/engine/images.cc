// Images: the room's blocking calls, off the event loop, and the events they make.
#include "engine/engine_impl.h"

namespace berth::engine {

Task<std::vector<image::LoadResult>> EngineImpl::load_images(ByteSource& archive) {
  auto load = [&] { return images_->load(archive); };
  auto loaded = co_await offload(uploads_, load);
  CO_TRY(const std::vector<image::LoadResult> images, std::move(loaded));
  for (const image::LoadResult& image : images) publish_image(image.id, "load");
  co_await count_images();
  co_return images;
}

Task<std::string> EngineImpl::import_image(ByteSource& tar,
                                           image::ImageService::ImportOptions options) {
  auto import = [&] { return images_->import(tar, options); };
  auto imported = co_await offload(uploads_, import);
  CO_TRY(const std::string id, std::move(imported));
  publish_image(id, "import");
  co_await count_images();
  co_return id;
}

Task<image::RemoveResult> EngineImpl::remove_image(std::string reference, bool force) {
  // Asked for on a pool thread: what is in use is settled before the work leaves the loop.
  std::vector<std::string> used = creating_from_;
  for (const Entry& workload : registry_.all()) used.push_back(workload->view.image_id);
  auto in_use = [&](const std::string& id) { return std::ranges::find(used, id) != used.end(); };
  auto remove = [&] { return images_->remove(reference, force, in_use); };
  auto result = co_await offload(pool_, remove);
  CO_TRY(const image::RemoveResult removed, std::move(result));
  for (const std::string& name : removed.untagged) publish_image(name, "untag");
  for (const std::string& id : removed.deleted) publish_image(id, "delete");
  co_await count_images();
  co_return removed;
}

Task<> EngineImpl::tag_image(std::string source, std::string target) {
  auto tag = [&] { return images_->tag(source, target); };
  auto tagged = co_await offload(pool_, tag);
  CO_TRY_VOID(std::move(tagged));
  publish_image(target, "tag");
  co_return Result<void>();
}

Task<std::vector<image::Image>> EngineImpl::list_images() {
  auto list = [&] { return images_->list(); };
  co_return co_await offload(pool_, list);
}

Task<image::Image> EngineImpl::inspect_image(std::string reference) {
  auto find = [&] { return images_->find(reference); };
  co_return co_await offload(pool_, find);
}

void EngineImpl::publish_image(const std::string& actor, std::string action) {
  events_.publish({.type = "image",
                   .action = std::move(action),
                   .actor = actor,
                   .attributes = {{"name", actor}},
                   .time = now()});
}

boost::asio::awaitable<void> EngineImpl::count_images() {
  auto list = [&] { return images_->list(); };
  if (auto images = co_await offload(pool_, list); images.ok()) image_count_ = images->size();
}

}  // namespace berth::engine
