// Flags: the command line in runc's grammar: `--name value`, `--name=value`, `-n value`, switches,
// then the arguments.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace berth::runtime {

class Flags {
 public:
  /// The targets must outlive parse(). `letter` 0: no short form.
  void add(std::string_view name, char letter, bool* target) {
    rows_.push_back({name, letter, target, nullptr, nullptr});
  }
  void add(std::string_view name, char letter, std::string* target) {
    rows_.push_back({name, letter, nullptr, target, nullptr});
  }
  /// Each time the flag is given adds one.
  void add(std::string_view name, char letter, std::vector<std::string>* target) {
    rows_.push_back({name, letter, nullptr, nullptr, target});
  }

  /// Sets the targets and returns the arguments. With `stop_at_argument`, the first one ends the
  /// flags, and it and all that follows is returned. kInvalid: an unknown flag, or one without its
  /// value.
  Result<std::vector<std::string>> parse(std::span<const std::string> words,
                                         bool stop_at_argument = false) const;

 private:
  struct Row {
    std::string_view name;
    char letter;
    bool* on;                         // a switch, or
    std::string* text;                // a flag with a value, or
    std::vector<std::string>* texts;  // one that may be repeated
  };
  const Row* find(std::string_view name) const;

  std::vector<Row> rows_;
};

}  // namespace berth::runtime
