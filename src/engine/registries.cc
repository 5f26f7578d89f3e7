// What registries are asked without a store: who may log in, what there is.
#include "engine/engine_impl.h"
#include "image/registry/registry_client.h"

namespace berth::engine {

Task<> EngineImpl::log_in(std::string server, image::Credentials credentials) {
  auto ask = [&]() -> Result<void> {
    const auto client = TRY(image::RegistryClient::open(
        TRY(image::repository_at(server)), {.credentials = credentials,
                                            .settings = options_.registries,
                                            .access = image::RegistryOptions::Access::kLogin}));
    return client->log_in(closing_.get_token());
  };
  co_return co_await offload(pulls_, ask);
}

Task<std::vector<std::string>> EngineImpl::registry_tags(std::string repository,
                                                         image::Credentials credentials) {
  auto ask = [&]() -> Result<std::vector<std::string>> {
    const auto client = TRY(
        image::RegistryClient::open(TRY(image::Reference::parse(repository)),
                                    {.credentials = credentials, .settings = options_.registries}));
    return client->tags(closing_.get_token());
  };
  co_return co_await offload(pulls_, ask);
}

Task<image::Distribution> EngineImpl::inspect_distribution(std::string reference,
                                                           image::Credentials credentials) {
  auto ask = [&]() -> Result<image::Distribution> {
    return image::inspect_distribution(
        TRY(image::Reference::parse(reference)),
        {.credentials = credentials, .settings = options_.registries}, closing_.get_token());
  };
  co_return co_await offload(pulls_, ask);
}

Task<std::vector<image::SearchResult>> EngineImpl::search_registry(std::string term, int limit,
                                                                   image::Credentials credentials) {
  auto ask = [&] {
    return image::search_registry(term, limit,
                                  {.credentials = credentials, .settings = options_.registries},
                                  closing_.get_token());
  };
  co_return co_await offload(pulls_, ask);
}

}  // namespace berth::engine
