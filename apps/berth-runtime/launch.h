// Launch: the part that `create` and `run` have in common: flags, bundle, record, container.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "berth-runtime/flags.h"
#include "berth-runtime/handover.h"
#include "berth-runtime/store.h"
#include "berth-runtime/verbs.h"
#include "container/runtime/container.h"

namespace berth::runtime {

struct LaunchOptions {
  std::string bundle;
  HandoverOptions handover;
  bool no_pivot = false;
  bool detach = false;
  bool keep = false;
  bool no_new_keyring = false;
  bool ignored = false;  // --no-subreaper: accepted, as it changes nothing here
};

void add_launch_flags(Flags& flags, LaunchOptions& options);

struct Launched {
  std::unique_ptr<container::Container> container;
  Record record;
  UniqueFd console;  // the terminal's master, unless it went to the console socket
};

/// Puts into the record what there is to undo.
void note(const container::Begun& begun, Record& record);

/// Makes the container and its record. On error neither is left. `start_remotely`: another run of
/// this program will start it.
Result<Launched> launch(const Globals& globals, const LaunchOptions& options, const std::string& id,
                        bool start_remotely);

/// The bundle as an absolute path without symbolic links; empty: the working directory.
Result<std::string> find_bundle(const std::string& path);

/// What is remembered of a container that is about to be made.
Record new_record(const std::string& id, const std::string& bundle, const container::Spec& spec);

/// The one argument every verb has, checked to be an id.
Result<std::string> single_id(const std::vector<std::string>& arguments, std::string_view verb);

}  // namespace berth::runtime
