// The handlers that routes.cc names, one per operation; the comment above each group is the file
// they are in.
#pragma once

#include "api/docker/request.h"

namespace berth::docker {

#define BERTH_HANDLER(name)                                                       \
  boost::asio::awaitable<Result<void>> name(Services& services, Request& request, \
                                            http::Exchange& exchange)

// system.cc
BERTH_HANDLER(ping);
BERTH_HANDLER(version);
BERTH_HANDLER(info);
BERTH_HANDLER(auth);
BERTH_HANDLER(disk_usage);
BERTH_HANDLER(image_check);
// events.cc
BERTH_HANDLER(events);
// containers.cc
BERTH_HANDLER(container_create);
BERTH_HANDLER(container_inspect);
BERTH_HANDLER(container_start);
BERTH_HANDLER(container_stop);
BERTH_HANDLER(container_restart);
BERTH_HANDLER(container_kill);
BERTH_HANDLER(container_rename);
BERTH_HANDLER(container_resize);
BERTH_HANDLER(container_remove);
// container_list.cc
BERTH_HANDLER(container_list);
BERTH_HANDLER(container_prune);
// container_wait.cc
BERTH_HANDLER(container_wait);
// container_attach.cc
BERTH_HANDLER(container_attach);
// container_logs.cc
BERTH_HANDLER(container_logs);
// container_top.cc
BERTH_HANDLER(container_top);
// container_filesystem.cc
BERTH_HANDLER(container_changes);
BERTH_HANDLER(container_export);
// container_commit.cc
BERTH_HANDLER(container_commit);
// images.cc
BERTH_HANDLER(image_list);
BERTH_HANDLER(image_inspect);
BERTH_HANDLER(image_history);
BERTH_HANDLER(image_save);
BERTH_HANDLER(image_tag);
BERTH_HANDLER(image_remove);
BERTH_HANDLER(image_prune);
// image_upload.cc
BERTH_HANDLER(image_load);
BERTH_HANDLER(image_create);
// image_pull.cc: image_create's other half
BERTH_HANDLER(image_pull);
BERTH_HANDLER(image_push);
// registry.cc
BERTH_HANDLER(distribution_inspect);
BERTH_HANDLER(image_search);
// networks.cc
BERTH_HANDLER(network_list);
BERTH_HANDLER(network_inspect);

#undef BERTH_HANDLER

}  // namespace berth::docker
