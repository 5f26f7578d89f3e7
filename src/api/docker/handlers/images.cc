// Images that are there: list, inspect, history, names, removal.
#include <algorithm>

#include "api/docker/archive_stream.h"
#include "api/docker/handlers/handlers.h"
#include "api/docker/handlers/reply.h"
#include "api/docker/image_filter.h"
#include "api/docker/wire/image.h"

namespace berth::docker {

namespace asio = boost::asio;

asio::awaitable<Result<void>> image_list(Services& services, Request& request,
                                         http::Exchange& exchange) {
  CO_TRY(const Filters filters, Filters::parse(request.query.get("filters")));
  auto listed = co_await services.engine.list_images();
  CO_TRY(std::vector<image::Image> images, std::move(listed));
  CO_TRY(const std::vector<image::Image> selected, select_images(std::move(images), filters));
  OrderedJson list = OrderedJson::array();
  for (const image::Image& image : selected)
    list.push_back(image_summary_json(image, -1, request.version));
  co_return co_await reply_json(exchange, 200, list);
}

asio::awaitable<Result<void>> image_inspect(Services& services, Request& request,
                                            http::Exchange& exchange) {
  auto found = co_await services.engine.inspect_image(request.name);
  CO_TRY(const image::Image image, std::move(found));
  const OrderedJson answer =
      image_inspect_json(image, services.engine.info().storage_driver, request.version);
  co_return co_await reply_json(exchange, 200, answer);
}

asio::awaitable<Result<void>> image_history(Services& services, Request& request,
                                            http::Exchange& exchange) {
  auto found = co_await services.engine.inspect_image(request.name);
  CO_TRY(const image::Image image, std::move(found));
  const OrderedJson answer = image_history_json(image);
  co_return co_await reply_json(exchange, 200, answer);
}

asio::awaitable<Result<void>> image_save(Services& services, Request& request,
                                         http::Exchange& exchange) {
  std::vector<std::string> names = request.query.all("names");
  if (!request.name.empty()) names = {request.name};
  if (names.empty()) co_return fail(ErrorKind::kInvalid, "no image was named: names is empty");
  ArchiveProducer produce = [&engine = services.engine, names = std::move(names)](
                                ByteSink& sink, std::stop_source) {
    return engine.save_images(names, sink);
  };
  co_return co_await stream_archive(exchange, std::move(produce), "application/x-tar");
}

asio::awaitable<Result<void>> image_tag(Services& services, Request& request,
                                        http::Exchange& exchange) {
  std::string target(request.query.get("repo"));
  if (target.empty()) co_return fail(ErrorKind::kInvalid, "no name was given: repo is empty");
  if (const std::string_view tag = request.query.get("tag"); !tag.empty())
    target += fmt::format(":{}", tag);
  auto tagged = co_await services.engine.tag_image(request.name, std::move(target));
  CO_TRY_VOID(std::move(tagged));
  co_return co_await exchange.reply(201, "", "");
}

asio::awaitable<Result<void>> image_remove(Services& services, Request& request,
                                           http::Exchange& exchange) {
  // noprune is about parents that nothing names; images here have none.
  auto result = co_await services.engine.remove_image(request.name, request.query.flag("force"));
  CO_TRY(const image::RemoveResult removed, std::move(result));
  const OrderedJson answer = image_removal_json(removed);
  co_return co_await reply_json(exchange, 200, answer);
}

asio::awaitable<Result<void>> image_prune(Services& services, Request& request,
                                          http::Exchange& exchange) {
  CO_TRY(const Filters filters, Filters::parse(request.query.get("filters")));
  CO_TRY(auto selection, image_prune_selection(filters, now()));
  auto result = co_await services.engine.prune_images(std::move(selection));
  CO_TRY(const engine::PruneResult pruned, std::move(result));
  const OrderedJson removed = image_removal_json(pruned.removed);
  const OrderedJson answer = {{"ImagesDeleted", removed.empty() ? OrderedJson() : removed},
                              {"SpaceReclaimed", pruned.freed}};
  co_return co_await reply_json(exchange, 200, answer);
}

}  // namespace berth::docker
