#include "container/isolate/console.h"

namespace berth::container {

ConsolePlan plan_console(const Process& process) {
  return {process.terminal, process.console_size.value_or(ConsoleSize{}), process.user.uid};
}

}  // namespace berth::container
