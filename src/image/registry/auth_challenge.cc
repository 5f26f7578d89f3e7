#include "image/registry/auth_challenge.h"

#include <algorithm>
#include <optional>

namespace berth::image {
namespace {

// RFC 9110, 5.6.2.
bool is_token_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  void skip_spaces() { skip(" \t"); }
  void skip_separators() { skip(" \t,"); }

  bool take(char wanted) {
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string token() {
    const auto end = std::ranges::find_if_not(rest_, is_token_char);
    const auto size = static_cast<std::size_t>(end - rest_.begin());
    std::string taken(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return taken;
  }

  std::string lower_token() {
    std::string word = token();
    std::ranges::transform(word, word.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return word;
  }

  // After its first quote.
  std::optional<std::string> quoted() {
    std::string text;
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return text;
      if (c == '\\') {
        if (rest_.empty()) break;
        c = rest_.front();
        rest_.remove_prefix(1);
      }
      text += c;
    }
    return std::nullopt;
  }

  // The position, to come back to.
  std::string_view save() const { return rest_; }
  void restore(std::string_view saved) { rest_ = saved; }

 private:
  void skip(std::string_view what) {
    const auto first = rest_.find_first_not_of(what);
    rest_.remove_prefix(first == std::string_view::npos ? rest_.size() : first);
  }

  std::string_view rest_;
};

// "name=value" of the challenge that is being read; false, and nothing is taken, if the next word
// is another challenge's scheme.
bool read_parameter(Scanner& scanner, AuthChallenge& challenge) {
  const auto before = scanner.save();
  std::string name = scanner.lower_token();
  scanner.skip_spaces();
  if (name.empty() || !scanner.take('=')) {
    scanner.restore(before);
    return false;
  }
  scanner.skip_spaces();
  const auto value = scanner.take('"') ? scanner.quoted() : scanner.token();
  if (!value) {
    scanner.restore(before);
    return false;
  }
  challenge.parameters.emplace(std::move(name), *value);
  return true;
}

}  // namespace

std::string AuthChallenge::get(const std::string& name) const {
  const auto found = parameters.find(name);
  return found == parameters.end() ? std::string() : found->second;
}

std::vector<AuthChallenge> parse_challenges(std::string_view value) {
  std::vector<AuthChallenge> all;
  Scanner scanner(value);
  for (scanner.skip_separators(); !scanner.at_end(); scanner.skip_separators()) {
    AuthChallenge challenge;
    challenge.scheme = scanner.lower_token();
    if (challenge.scheme.empty()) break;
    scanner.skip_spaces();
    while (read_parameter(scanner, challenge)) scanner.skip_separators();
    all.push_back(std::move(challenge));
  }
  return all;
}

}  // namespace berth::image
