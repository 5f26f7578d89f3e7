// Layout: where an engine keeps what. docs/formats/engine-layout.md.
//
//   <root>                             locked (flock) while an engine runs
//   <root>/engine.db                   records (record_store.h)
//   <root>/image/                      image room
//   <root>/network/                    network room
//   <root>/volumes/<name>/_data        volumes
//   <root>/workloads/<id>/             log, exit.json, hostname, hosts, resolv.conf, rootfs/ (an
//   empty mount point) <run>/workloads/<id>/              holder.sock, started.json, endpoint.json:
//   one run of the workload
#pragma once

#include <string>

#include "engine/workload.h"

namespace berth::engine {

struct Layout {
  std::string root;
  std::string run;

  std::string database() const { return root + "/engine.db"; }
  std::string images() const { return root + "/image"; }
  std::string network() const { return root + "/network"; }
  std::string volumes() const { return root + "/volumes"; }
  std::string workloads() const { return root + "/workloads"; }
  std::string runs() const { return run + "/workloads"; }

  std::string state_dir(const WorkloadId& id) const { return workloads() + "/" + id.str(); }
  std::string run_dir(const WorkloadId& id) const { return runs() + "/" + id.str(); }
  std::string rootfs(const WorkloadId& id) const { return state_dir(id) + "/rootfs"; }
  std::string log(const WorkloadId& id) const {
    return state_dir(id) + "/" + id.str() + "-json.log";
  }
  std::string endpoint(const WorkloadId& id) const { return run_dir(id) + "/endpoint.json"; }
};

/// Key of a workload's writable layer in the snapshotter.
inline std::string snapshot_key(const WorkloadId& id) {
  return "workload-" + id.str();
}

}  // namespace berth::engine
