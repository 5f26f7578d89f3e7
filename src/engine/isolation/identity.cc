#include "engine/isolation/identity.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace berth::engine {
namespace {

// passwd(5): name, password, uid, gid, gecos, home, shell. group(5): name, password, gid, members.
struct PasswdLine {
  std::string_view name;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string_view home;
};

struct GroupLine {
  std::string_view name;
  std::uint32_t gid = 0;
  std::string_view members;
};

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  // The kernel keeps the all-ones id for "unchanged"; Docker stops at the signed range.
  if (error != std::errc() || end != text.data() + text.size() || value > 0x7fffffff)
    return std::nullopt;
  return value;
}

std::string_view take_until(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return part;
}

template <std::size_t N>
std::array<std::string_view, N> fields(std::string_view line) {
  std::array<std::string_view, N> parts;
  for (std::string_view& part : parts) part = take_until(line, ':');
  return parts;
}

std::vector<PasswdLine> parse_passwd(std::string_view text) {
  std::vector<PasswdLine> lines;
  while (!text.empty()) {
    const auto parts = fields<7>(take_until(text, '\n'));
    const auto uid = number(parts[2]);
    const auto gid = number(parts[3]);
    if (!parts[0].empty() && uid && gid)
      lines.push_back({.name = parts[0], .uid = *uid, .gid = *gid, .home = parts[5]});
  }
  return lines;
}

std::vector<GroupLine> parse_group(std::string_view text) {
  std::vector<GroupLine> lines;
  while (!text.empty()) {
    const auto parts = fields<4>(take_until(text, '\n'));
    const auto gid = number(parts[2]);
    if (!parts[0].empty() && gid)
      lines.push_back({.name = parts[0], .gid = *gid, .members = parts[3]});
  }
  return lines;
}

bool lists(std::string_view members, std::string_view name) {
  while (!members.empty()) {
    if (take_until(members, ',') == name) return true;
  }
  return false;
}

Result<std::uint32_t> find_group(const std::vector<GroupLine>& groups, std::string_view wanted) {
  const auto it = std::ranges::find(groups, wanted, &GroupLine::name);
  if (it != groups.end()) return it->gid;
  if (const auto gid = number(wanted)) return *gid;
  return fail(ErrorKind::kInvalid, "unable to find group {}: no matching entries in group file",
              wanted);
}

}  // namespace

Result<Identity> resolve_identity(std::string_view user, const std::vector<std::string>& group_add,
                                  std::string_view passwd, std::string_view group) {
  const std::vector<PasswdLine> users = parse_passwd(passwd);
  const std::vector<GroupLine> groups = parse_group(group);
  std::string_view group_part = user;
  const std::string_view user_part = take_until(group_part, ':');

  const std::optional<std::uint32_t> uid =
      user_part.empty() ? std::optional(0U) : number(user_part);
  auto known = std::ranges::find(users, user_part, &PasswdLine::name);
  if (known == users.end() && uid) known = std::ranges::find(users, *uid, &PasswdLine::uid);
  Identity identity;
  if (known != users.end()) {
    identity = {.uid = known->uid,
                .gid = known->gid,
                .additional_gids = {},
                .home = std::string(known->home)};
  } else if (uid) {
    identity.uid = *uid;
  } else {
    return fail(ErrorKind::kInvalid, "unable to find user {}: no matching entries in passwd file",
                user_part);
  }
  if (identity.home.empty()) identity.home = "/";
  if (known == users.end() && identity.uid == 0) identity.home = "/root";

  if (!group_part.empty()) {
    identity.gid = TRY(find_group(groups, group_part));
  } else if (known != users.end()) {
    for (const GroupLine& line : groups) {
      if (lists(line.members, known->name)) identity.additional_gids.push_back(line.gid);
    }
  }
  for (const std::string& extra : group_add)
    identity.additional_gids.push_back(TRY(find_group(groups, extra)));
  std::ranges::sort(identity.additional_gids);
  const auto repeated = std::ranges::unique(identity.additional_gids);
  identity.additional_gids.erase(repeated.begin(), repeated.end());
  return identity;
}

}  // namespace berth::engine
