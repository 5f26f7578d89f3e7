// KEY=VALUE settings: -e, --env-file, -l, --label-file, --sysctl and their like.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace berth::cli {

/// The environment of the request: the lines of `files`, then `flags`. A name without "=" takes its
/// value from this process's environment, and is left out if there is none. Errors name the flag,
/// the file and the line.
Result<std::vector<std::string>> read_environment(const std::vector<std::string>& files,
                                                  const std::vector<std::string>& flags);

/// Labels: the lines of `files`, then `flags`; the last of a key wins; a name alone has the value
/// "".
Result<std::map<std::string, std::string>> read_labels(const std::vector<std::string>& files,
                                                       const std::vector<std::string>& flags);

/// "k=v" pairs into a map; a name alone has the value "".
std::map<std::string, std::string> to_map(const std::vector<std::string>& pairs);

/// A whole file that a flag named. kExhausted beyond `max_bytes`.
Result<std::string> read_flag_file(std::string_view flag, const std::string& path,
                                   std::size_t max_bytes);

/// The fields of one CSV record, "a,b=\"c,d\"": quotes as in RFC 4180.
Result<std::vector<std::string>> split_csv(std::string_view text);

}  // namespace berth::cli
