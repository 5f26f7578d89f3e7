#include "berth-runtime/flags.h"

#include <algorithm>

namespace berth::runtime {

const Flags::Row* Flags::find(std::string_view name) const {
  const auto it = std::ranges::find_if(rows_, [&](const Row& row) {
    return row.name == name || (name.size() == 1 && row.letter == name[0]);
  });
  return it == rows_.end() ? nullptr : &*it;
}

Result<std::vector<std::string>> Flags::parse(std::span<const std::string> words,
                                              bool stop_at_argument) const {
  std::vector<std::string> arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view word = words[i];
    if (word == "--" || !word.starts_with('-') || word == "-") {
      if (stop_at_argument || word == "--") {
        arguments.insert(arguments.end(),
                         words.begin() + static_cast<std::ptrdiff_t>(i + (word == "--" ? 1 : 0)),
                         words.end());
        return arguments;
      }
      arguments.emplace_back(word);
      continue;
    }
    word.remove_prefix(word.starts_with("--") ? 2 : 1);
    const auto equals = word.find('=');
    const Row* row = find(word.substr(0, equals));
    if (!row) return fail(ErrorKind::kInvalid, "unknown flag '{}'", words[i]);
    const bool has_value = equals != std::string_view::npos;
    if (row->on) {
      *row->on = !has_value || word.substr(equals + 1) == "true";
      continue;
    }
    if (!has_value && ++i >= words.size())
      return fail(ErrorKind::kInvalid, "the flag '{}' needs a value", words[i - 1]);
    const std::string_view value = has_value ? word.substr(equals + 1) : std::string_view(words[i]);
    if (row->texts)
      row->texts->emplace_back(value);
    else
      *row->text = value;
  }
  return arguments;
}

}  // namespace berth::runtime
