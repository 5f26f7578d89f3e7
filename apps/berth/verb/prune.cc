#include "berth/verb/prune.h"

#include <cstdio>

#include "berth/format/units.h"

namespace berth::cli {

Result<void> ask_before(std::string_view what) {
  fmt::print("This will remove {}. Go on? [y/N] ", what);
  std::fflush(stdout);
  const int first = std::getchar();
  for (int rest = first; rest != '\n' && rest != EOF;) rest = std::getchar();
  if (first == 'y' || first == 'Y') return {};
  return fail(ErrorKind::kConflict, "nothing was removed");
}

Result<void> print_reclaimed(const Json& answer) {
  const std::int64_t freed = TRY(get_int(answer, "SpaceReclaimed"));
  fmt::print("Total reclaimed space: {}\n", human_size(static_cast<double>(freed), 4));
  return {};
}

}  // namespace berth::cli
