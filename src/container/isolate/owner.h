// Owner: namespaces that are to belong to a user namespace which exists already. clone3(2) makes
// new namespaces for the user namespace of its caller, so a process in between enters that one,
// makes init as its own sibling (CLONE_PARENT), and ends. user_namespaces(7), clone(2).
#pragma once

#include <sys/types.h>

#include "base/result.h"
#include "container/isolate/namespaces.h"
#include "sys/process.h"

namespace berth::container {

/// As sys::clone_process(), with namespaces of plan.owner.
Result<sys::CloneResult> clone_owned(const NamespacePlan& plan, const sys::CloneRequest& request);

/// What the process in between has to say, in memory that it shares with the parent.
struct Birth {
  pid_t pid = 0;  // of init
  int error = 0;  // errno; 0: init was made
};
/// The process in between. Returns in init only.
void give_birth(const NamespacePlan& plan, const sys::CloneRequest& request, Birth* birth);

}  // namespace berth::container
