// The flags that `checkpoint` and `restore` have in common, and what they become.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "berth-runtime/flags.h"
#include "container/checkpoint/options.h"

namespace berth::runtime {

struct CriuFlags {
  std::string image_path;
  std::string work_path;
  std::string cgroups_mode;
  std::vector<std::string> empty_namespaces;
  bool tcp_established = false;
  bool external_unix_sockets = false;
  bool shell_job = false;
  bool file_locks = false;
  bool auto_dedup = false;
  bool lazy_pages = false;
};

void add_criu_flags(Flags& flags, CriuFlags& values);

/// Checks them and makes paths absolute, before anything is made. `verb`: for messages.
/// kPermission: the caller is not root, as criu has to be.
Result<void> take_criu_flags(const CriuFlags& values, std::string_view verb,
                             container::CriuCommon& options);

}  // namespace berth::runtime
