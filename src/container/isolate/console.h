// Console: the container's terminal, a pty of its own devpts. pts(4), ioctl_tty(2), runtime-spec
// config.md "process.terminal". Both ends are opened through the devpts that was just mounted, by
// descriptor: the image has no say in what they are, and no path is looked up twice.
#pragma once

#include <sys/types.h>

#include "container/isolate/child.h"
#include "container/spec/spec.h"

namespace berth::container {

struct ConsolePlan {
  bool wanted = false;
  ConsoleSize size;
  uid_t owner = 0;
};

ConsolePlan plan_console(const Process& process);
/// Opens the pty and covers /dev/console with it. The master is for the parent.
bool enter_console(Child& child, const ConsolePlan& plan, int* master, int* slave);
/// The same for a process that joins: from what the container has as /dev/pts by now, if it is a
/// devpts. /dev/console stays as it is.
bool join_console(Child& child, const ConsolePlan& plan, int* master, int* slave);

}  // namespace berth::container
