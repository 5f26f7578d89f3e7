#include "api/docker/import_changes.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "api/docker/wire/ports.h"
#include "base/json.h"

namespace berth::docker {
namespace {

/// The configuration as far as the lines have been applied.
struct Draft : image::ImageConfig {
  bool has_own_cmd = false;  // a line set it
};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

// Splits at blanks; quotes group and vanish, a backslash takes the next character as it is.
Result<std::vector<std::string>> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == 0 && (c == ' ' || c == '\t')) {
      if (in_word) words.push_back(std::exchange(word, {}));
      in_word = false;
      continue;
    }
    in_word = true;
    if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
      word += text[++i];
    } else if (quote != 0 && c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
    } else {
      word += c;
    }
  }
  if (quote != 0) return fail(ErrorKind::kInvalid, "a quote is not closed in '{}'", text);
  if (in_word) words.push_back(std::move(word));
  return words;
}

// ["a", "b"] is taken as it is; anything else is a line for the shell, or, for lists, words.
Result<std::vector<std::string>> json_words(std::string_view text) {
  const auto parsed = parse_json(text);
  if (!parsed.ok() || !parsed->is_array())
    return fail(ErrorKind::kInvalid, "not a list of texts: {}", text);
  std::vector<std::string> words;
  for (const Json& item : *parsed) {
    if (!item.is_string()) return fail(ErrorKind::kInvalid, "not a list of texts: {}", text);
    words.push_back(item.get<std::string>());
  }
  return words;
}

Result<std::vector<std::string>> command(std::string_view text) {
  if (text.starts_with('[')) return json_words(text);
  return std::vector<std::string>{"/bin/sh", "-c", std::string(text)};
}

Result<std::vector<std::string>> list(std::string_view text) {
  return text.starts_with('[') ? json_words(text) : words_of(text);
}

Result<void> set_cmd(std::string_view text, Draft& config) {
  config.cmd = TRY(command(text));
  config.has_own_cmd = true;
  return {};
}

Result<void> set_entrypoint(std::string_view text, Draft& config) {
  config.entrypoint = TRY(command(text));
  if (!config.has_own_cmd) config.cmd.clear();
  return {};
}

// In place of one of that name.
void set_variable(std::string assignment, std::vector<std::string>& env) {
  const std::string name = assignment.substr(0, assignment.find('=') + 1);
  const auto known =
      std::ranges::find_if(env, [&](const std::string& other) { return other.starts_with(name); });
  if (known == env.end()) {
    env.push_back(std::move(assignment));
  } else {
    *known = std::move(assignment);
  }
}

void add_once(std::string item, std::vector<std::string>& list) {
  if (std::ranges::find(list, item) == list.end()) list.push_back(std::move(item));
}

Result<void> add_env(std::string_view text, Draft& config) {
  const std::size_t blank = text.find_first_of(" \t");
  const bool old_form = text.find('=') > blank;  // ENV NAME the rest is the value
  if (old_form) {
    set_variable(fmt::format("{}={}", text.substr(0, blank), trimmed(text.substr(blank))),
                 config.env);
    return {};
  }
  for (std::string& word : TRY(words_of(text))) {
    if (word.find('=') == std::string::npos || word[0] == '=')
      return fail(ErrorKind::kInvalid, "'{}' is not of the form NAME=VALUE", word);
    set_variable(std::move(word), config.env);
  }
  return {};
}

Result<void> add_labels(std::string_view text, Draft& config) {
  for (const std::string& word : TRY(words_of(text))) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0)
      return fail(ErrorKind::kInvalid, "'{}' is not of the form NAME=VALUE", word);
    config.labels[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return {};
}

Result<void> add_ports(std::string_view text, Draft& config) {
  for (const std::string& word : TRY(words_of(text))) {
    const ContainerPort port = TRY(parse_container_port(word));
    add_once(fmt::format("{}/{}", port.port, to_string(port.protocol)), config.exposed_ports);
  }
  return {};
}

Result<void> add_volumes(std::string_view text, Draft& config) {
  for (std::string& path : TRY(list(text))) add_once(std::move(path), config.volumes);
  return {};
}

Result<void> set_user(std::string_view text, Draft& config) {
  config.user = text;
  return {};
}

Result<void> set_working_dir(std::string_view text, Draft& config) {
  // Relative to the one before.
  const std::filesystem::path before("/" + config.working_dir);
  config.working_dir = (before / text).lexically_normal().string();
  if (config.working_dir.size() > 1 && config.working_dir.ends_with('/'))
    config.working_dir.pop_back();
  return {};
}

Result<void> set_stop_signal(std::string_view text, Draft& config) {
  config.stop_signal = text;
  return {};
}

struct Instruction {
  std::string_view name;
  Result<void> (*apply)(std::string_view text, Draft& config);
};
constexpr std::array kInstructions = {Instruction{"CMD", set_cmd},
                                      Instruction{"ENTRYPOINT", set_entrypoint},
                                      Instruction{"ENV", add_env},
                                      Instruction{"EXPOSE", add_ports},
                                      Instruction{"LABEL", add_labels},
                                      Instruction{"USER", set_user},
                                      Instruction{"VOLUME", add_volumes},
                                      Instruction{"WORKDIR", set_working_dir},
                                      Instruction{"STOPSIGNAL", set_stop_signal}};

Result<void> apply_change(std::string_view line, Draft& config) {
  line = trimmed(line);
  const std::size_t blank = std::min(line.find_first_of(" \t"), line.size());
  std::string name(line.substr(0, blank));
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  });
  const auto found = std::ranges::find(kInstructions, name, &Instruction::name);
  if (found == kInstructions.end())
    return fail(ErrorKind::kInvalid, "{} is not a valid change command",
                name.empty() ? "an empty line" : name);
  const std::string_view rest = trimmed(line.substr(blank));
  if (rest.empty()) return fail(ErrorKind::kInvalid, "{} needs an argument", name);
  return found->apply(rest, config).context(name);
}

}  // namespace

Result<image::ImageConfig> apply_import_changes(const std::vector<std::string>& changes,
                                                image::ImageConfig config) {
  Draft draft{std::move(config)};
  for (const std::string& change : changes) {
    // One parameter may hold several lines.
    std::string_view rest = change;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      if (!trimmed(rest.substr(0, end)).empty()) TRY(apply_change(rest.substr(0, end), draft));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return image::ImageConfig(std::move(draft));
}

Result<image::ImageConfig> parse_import_changes(const std::vector<std::string>& changes) {
  return apply_import_changes(changes, {});
}

}  // namespace berth::docker
