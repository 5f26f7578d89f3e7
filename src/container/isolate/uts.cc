#include "container/isolate/uts.h"

namespace berth::container {

UtsPlan plan_uts(const Spec& spec) {
  return {spec.hostname, spec.domainname};
}

}  // namespace berth::container
