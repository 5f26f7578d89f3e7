// /version and /info in Docker's form.
#pragma once

#include <string>

#include "api/docker/host_facts.h"
#include "engine/engine.h"

namespace berth::docker {

std::string version_json(const HostFacts& host, const std::string& product_version);
std::string info_json(const HostFacts& host, const engine::EngineInfo& engine,
                      const std::string& product_version);

}  // namespace berth::docker
