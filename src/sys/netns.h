// Network namespaces by descriptor (man 7 network_namespaces). A namespace lives as long as a
// process or a descriptor is in it; nothing is mounted, so nothing has to be cleaned up. The
// calling thread never leaves its own namespace: what must happen elsewhere happens on a helper
// thread that ends with the call, so a failure cannot strand the caller. Thread-safe. Needs
// CAP_SYS_ADMIN.
#pragma once

#include <functional>
#include <optional>
#include <type_traits>

#include "base/result.h"
#include "base/unique_fd.h"

namespace berth::sys {

/// The namespace that the calling thread is in.
Result<UniqueFd> current_network_namespace();

/// A fresh namespace, in which only `lo` exists and is down. `inside`, if given, runs in it first;
/// its error is returned and the namespace is gone.
Result<UniqueFd> create_network_namespace(const std::function<Result<void>()>& inside = {});

/// Runs `work` inside the namespace `netns` and waits for it. Sockets opened there stay there for
/// good.
Result<void> run_in_network_namespace(int netns, const std::function<Result<void>()>& work);

/// The same for work that yields a value.
template <typename Work>
  requires(!std::is_same_v<std::invoke_result_t<Work&>, Result<void>>)
std::invoke_result_t<Work&> run_in_network_namespace(int netns, Work work) {
  std::optional<std::invoke_result_t<Work&>> outcome;
  TRY(run_in_network_namespace(netns, std::function<Result<void>()>([&]() -> Result<void> {
                                 outcome.emplace(work());
                                 return {};
                               })));
  return std::move(*outcome);
}

}  // namespace berth::sys
