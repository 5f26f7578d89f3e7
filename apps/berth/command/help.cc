#include "berth/command/help.h"

#include <algorithm>

#include "berth/command/global_flags.h"

namespace berth::cli {
namespace {

constexpr std::size_t kLineWidth = 80;
// Values longer than this would push the texts off the line.
constexpr std::size_t kMinTextWidth = 24;

std::string usage_line(const Invocation& invocation) {
  std::string line = fmt::format("Usage:  berth {}", invocation.spelling);
  if (!invocation.verb.usage.empty()) line += fmt::format(" {}", invocation.verb.usage);
  return line;
}

// Appends `text` in lines of `width`, all but the first indented.
void append_wrapped(std::string& out, std::string_view text, std::size_t indent,
                    std::size_t width) {
  while (text.size() > width) {
    auto cut = text.rfind(' ', width);
    if (cut == std::string_view::npos || cut == 0) cut = text.find(' ');
    if (cut == std::string_view::npos) break;
    out += text.substr(0, cut);
    out += '\n';
    out.append(indent, ' ');
    text.remove_prefix(cut + 1);
  }
  out += text;
  out += '\n';
}

std::string flag_column(const FlagSpec& flag) {
  std::string column = flag.shorthand != 0 ? fmt::format("  -{}, --{}", flag.shorthand, flag.name)
                                           : fmt::format("      --{}", flag.name);
  if (const auto value = value_name(flag); !value.empty()) column += fmt::format(" {}", value);
  return column;
}

void append_flags(std::string& out, std::span<const FlagSpec> table) {
  std::vector<const FlagSpec*> rows;
  for (const FlagSpec& flag : table)
    if (!flag.help.empty()) rows.push_back(&flag);
  if (rows.empty()) return;
  std::ranges::sort(rows, {}, [](const FlagSpec* flag) { return flag->name; });
  std::size_t width = 0;
  for (const FlagSpec* flag : rows) width = std::max(width, flag_column(*flag).size() + 3);
  out += "\nOptions:\n";
  for (const FlagSpec* flag : rows) {
    std::string text(flag->help);
    if (!flag->shown_default.empty()) text += fmt::format(" (default {})", flag->shown_default);
    out += fmt::format("{:<{}}", flag_column(*flag), width);
    append_wrapped(out, text, width,
                   std::max(kMinTextWidth, kLineWidth - std::min(width, kLineWidth)));
  }
}

void append_commands(std::string& out, std::string_view title, std::string_view group) {
  out += fmt::format("\n{}:\n", title);
  std::vector<const Spelling*> rows;
  for (const Spelling& spelling : spellings())
    if (spelling.group == group && spelling.listed) rows.push_back(&spelling);
  std::ranges::sort(rows, {}, [](const Spelling* spelling) { return spelling->name; });
  for (const Spelling* row : rows)
    out += fmt::format("  {:<11} {}\n", row->name, row->verb->summary);
}

}  // namespace

std::string program_help() {
  std::string out =
      "Usage:  berth [OPTIONS] COMMAND\n\nRun OCI images behind the wall you choose\n";
  append_commands(out, "Commands", "");
  out += "\nManagement Commands:\n";
  for (const Group& group : groups())
    out += fmt::format("  {:<11} {}\n", group.name, group.summary);
  std::string flags;
  append_flags(flags, kGlobalFlags);
  out += "\nGlobal " + flags.substr(1);
  out += "\nRun 'berth COMMAND --help' for more information on a command.\n";
  return out;
}

std::string group_help(const Group& group) {
  std::string out = fmt::format("Usage:  berth {} COMMAND\n\n{}\n", group.name, group.summary);
  append_commands(out, "Commands", group.name);
  out += fmt::format("\nRun 'berth {} COMMAND --help' for more information on a command.\n",
                     group.name);
  return out;
}

std::string verb_help(const Invocation& invocation) {
  std::string out = fmt::format("{}\n\n{}\n", usage_line(invocation), invocation.verb.summary);
  if (const auto all = all_spellings(invocation.verb); all.size() > 1)
    out += fmt::format("\nAliases:\n  {}\n", fmt::join(all, ", "));
  append_flags(out, invocation.verb.flags);
  return out;
}

std::string usage_hint(const Invocation& invocation) {
  return fmt::format("Run 'berth {} --help' for more information\n", invocation.spelling);
}

}  // namespace berth::cli
