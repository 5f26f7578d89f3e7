#include "berth/command/dispatch.h"

#include <cstdio>

#include "berth/command/global_flags.h"
#include "berth/command/help.h"
#include "berth/command/session.h"
#include "berth/command/verb_table.h"
#include "berth/command/version.h"

namespace berth::cli {
namespace {

int unknown_command(std::string_view command, std::string_view help) {
  fmt::print(stderr,
             "berth: unknown command: berth {}\n\nRun 'berth {}--help' for more information\n",
             command, help);
  return kExitFailure;
}

int show(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

struct Found {
  const Spelling* spelling = nullptr;
  const Group* group = nullptr;  // set where a group was named without a command of it
  std::size_t words = 0;         // that name the command
};

Found find_command(std::span<const std::string> words) {
  if (const Spelling* spelling = find_spelling("", words[0])) return {spelling, nullptr, 1};
  const Group* group = find_group(words[0]);
  if (!group) return {};
  if (words.size() > 1)
    if (const Spelling* spelling = find_spelling(group->name, words[1]))
      return {spelling, nullptr, 2};
  return {nullptr, group, 1};
}

Invocation invocation_of(const Spelling& spelling) {
  std::string text(spelling.group);
  if (!text.empty()) text += ' ';
  return {*spelling.verb, text += spelling.name};
}

int show_help(std::span<const std::string> words) {
  if (words.empty()) return show(program_help());
  const Found found = find_command(words);
  if (found.spelling) return show(verb_help(invocation_of(*found.spelling)));
  if (found.group) return show(group_help(*found.group));
  return unknown_command(words[0], "");
}

int run_verb(Session& session, std::span<const std::string> words) {
  if (words[0] == "help") return show_help(words.subspan(1));
  const Found found = find_command(words);
  if (found.group) {
    if (words.size() == 1 || words[1] == "--help" || words[1] == "-h")
      return show(group_help(*found.group));
    return unknown_command(fmt::format("{} {}", words[0], words[1]), fmt::format("{} ", words[0]));
  }
  if (!found.spelling) return unknown_command(words[0], "");
  const Invocation invocation = invocation_of(*found.spelling);
  const Result<int> code = invocation.verb.invoke(session, invocation, words.subspan(found.words));
  if (code.ok()) return *code;
  print_error(code.error());
  return kExitFailure;
}

}  // namespace

ParsedInvocation parse_invocation(const Invocation& invocation,
                                  std::span<const std::string> arguments, void* options) {
  const Verb& verb = invocation.verb;
  auto parsed = parse_flags(verb.flags, arguments, verb.interspersed, options);
  if (!parsed.ok()) {
    fmt::print(stderr, "{}\n\n{}", parsed.error().message(), usage_hint(invocation));
    return {{}, kExitBerthFailed};
  }
  if (parsed->help) return {{}, show(verb_help(invocation))};

  const auto [min, max] = verb.operands;
  const std::size_t count = parsed->operands.size();
  if (count < min || count > max) {
    const std::size_t wanted = count < min ? min : max;
    const std::string_view bound = min == max ? "" : count < min ? "at least " : "at most ";
    const std::string need =
        max == 0 ? "accepts no arguments"
                 : fmt::format("requires {}{} argument{}", bound, wanted, wanted == 1 ? "" : "s");
    fmt::print(stderr, "berth: 'berth {}' {}\n\n{}", invocation.spelling, need,
               usage_hint(invocation));
    return {{}, kExitFailure};
  }
  return {std::move(parsed->operands), std::nullopt};
}

int run_command_line(std::span<const std::string> words) {
  GlobalOptions options;
  const auto parsed = parse_flags(kGlobalFlags, words, false, &options);
  int code = 0;
  if (!parsed.ok()) {
    fmt::print(stderr, "{}\n\nRun 'berth --help' for more information\n", parsed.error().message());
    return kExitBerthFailed;
  }
  if (options.version) {
    fmt::print("Berth version {}\n", kClientVersion);
  } else if (parsed->help || parsed->operands.empty()) {
    code = show(program_help());
  } else {
    Session session(options.host);
    code = run_verb(session, parsed->operands);
  }
  if (std::fflush(stdout) != 0 && code == 0) {
    print_error(fail_errno("writing to standard output"));
    code = kExitFailure;
  }
  return code;
}

}  // namespace berth::cli
