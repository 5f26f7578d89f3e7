#include "container/isolate/protect.h"

namespace berth::container {

ProtectPlan plan_protect(const Spec& spec) {
  return {spec.linux_.masked_paths, spec.linux_.readonly_paths, spec.linux_.mount_label};
}

}  // namespace berth::container
