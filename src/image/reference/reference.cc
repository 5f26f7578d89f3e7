#include "image/reference/reference.h"

#include <algorithm>

namespace berth::image {
namespace {

constexpr std::string_view kDefaultDomain = "docker.io";
constexpr std::string_view kLegacyDefaultDomain = "index.docker.io";
constexpr std::string_view kOfficialPrefix = "library/";

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_alnum(char c) {
  return is_lower(c) || is_upper(c) || is_digit(c);
}
bool is_name_char(char c) {
  return is_lower(c) || is_digit(c);
}

Error bad_format() {
  return fail(ErrorKind::kInvalid, "invalid reference format");
}

/// Letters and digits with dashes inside.
bool is_domain_label(std::string_view label) {
  return !label.empty() && is_alnum(label.front()) && is_alnum(label.back()) &&
         std::ranges::all_of(label, [](char c) { return is_alnum(c) || c == '-'; });
}

template <typename Predicate>
bool all_parts(std::string_view text, char separator, Predicate good) {
  for (;;) {
    const auto end = text.find(separator);
    if (!good(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

bool is_domain(std::string_view domain) {
  std::string_view host = domain;
  std::string_view port;
  if (domain.starts_with('[')) {  // an IPv6 address
    const auto close = domain.find(']');
    if (close == std::string_view::npos || close < 2) return false;
    const auto address = domain.substr(1, close - 1);
    if (address.find_first_not_of("0123456789abcdefABCDEF:") != std::string_view::npos)
      return false;
    port = domain.substr(close + 1);
    if (port.empty()) return true;
  } else {
    host = domain.substr(0, domain.find(':'));
    if (!all_parts(host, '.', is_domain_label)) return false;
    port = domain.substr(host.size());
    if (port.empty()) return true;
  }
  return port.size() > 1 && port.front() == ':' && std::ranges::all_of(port.substr(1), is_digit);
}

/// Runs of letters and digits, joined by ".", "_", "__" or any number of dashes.
bool is_path_component(std::string_view part) {
  if (part.empty() || !is_name_char(part.front()) || !is_name_char(part.back())) return false;
  while (!part.empty()) {
    const auto run = std::ranges::find_if_not(part, is_name_char);
    part.remove_prefix(static_cast<std::size_t>(run - part.begin()));
    const auto next = std::ranges::find_if(part, is_name_char);
    const auto separator = part.substr(0, static_cast<std::size_t>(next - part.begin()));
    const bool dashes = separator.find_first_not_of('-') == std::string_view::npos;
    if (!dashes && separator != "." && separator != "_" && separator != "__") return false;
    part.remove_prefix(separator.size());
  }
  return true;
}

bool is_tag(std::string_view tag) {
  if (tag.empty() || tag.size() > kMaxTag || tag.front() == '.' || tag.front() == '-') return false;
  return std::ranges::all_of(
      tag, [](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; });
}

bool has_upper(std::string_view text) {
  return std::ranges::any_of(text, is_upper);
}

/// A first component is a domain only if nothing else could be meant: it has a dot, a port, an
/// upper-case letter, or is "localhost".
bool names_a_domain(std::string_view first) {
  return first.find_first_of(".:") != std::string_view::npos || first == "localhost" ||
         has_upper(first);
}

/// What is an image's id, and no name.
bool is_id(std::string_view text) {
  return text.size() == 64 && is_lower_hex(text);
}

}  // namespace

Result<Reference> Reference::parse(std::string_view text) {
  if (text.empty()) return bad_format();
  if (is_id(text)) {
    return fail(ErrorKind::kInvalid,
                "invalid repository name ({}), cannot specify 64-byte hexadecimal strings", text);
  }
  Reference ref;
  std::string_view rest = text;
  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    auto digest = Digest::parse(rest.substr(at + 1));
    if (!digest.ok()) return bad_format();
    ref.digest_ = digest->str();
    rest = rest.substr(0, at);
  }
  const auto slash = rest.find('/');
  if (slash != std::string_view::npos && names_a_domain(rest.substr(0, slash))) {
    ref.domain_ = rest.substr(0, slash);
    rest.remove_prefix(slash + 1);
    if (ref.domain_ == kLegacyDefaultDomain) ref.domain_ = kDefaultDomain;
  } else {
    ref.domain_ = kDefaultDomain;
  }
  if (const auto colon = rest.find(':'); colon != std::string_view::npos) {
    ref.tag_ = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
    if (!is_tag(ref.tag_)) return bad_format();
  }
  if (has_upper(rest)) {
    return fail(ErrorKind::kInvalid,
                "invalid reference format: repository name ({}) must be lowercase", rest);
  }
  if (ref.domain_ == kDefaultDomain && rest.find('/') == std::string_view::npos) {
    ref.path_ = kOfficialPrefix;
  }
  ref.path_ += rest;
  if (!is_domain(ref.domain_) || !all_parts(ref.path_, '/', is_path_component)) return bad_format();
  if (ref.repository().size() > kMaxRepositoryName) {
    return fail(ErrorKind::kInvalid, "repository name must not be more than {} characters",
                kMaxRepositoryName);
  }
  return ref;
}

Reference Reference::with_default_tag() const {
  Reference ref = *this;
  if (tag_.empty() && digest_.empty()) ref.tag_ = "latest";
  return ref;
}

Reference Reference::without_digest() const {
  Reference ref = *this;
  ref.digest_.clear();
  return ref;
}

Reference Reference::at(const Digest& digest) const {
  Reference ref = *this;
  ref.tag_.clear();
  ref.digest_ = digest.str();
  return ref;
}

std::string Reference::repository() const {
  return domain_ + "/" + path_;
}

std::string Reference::familiar_repository() const {
  if (domain_ != kDefaultDomain) return repository();
  const std::string_view path = path_;
  // Docker leaves the domain out here, too, and means another registry then.
  const auto slash = path.find('/');
  if (slash != std::string_view::npos && names_a_domain(path.substr(0, slash))) return repository();
  if (!path.starts_with(kOfficialPrefix)) return path_;
  const std::string_view name = path.substr(kOfficialPrefix.size());
  return std::string(name.find('/') == name.npos && !is_id(name) ? name : path);
}

std::string Reference::suffix() const {
  std::string text;
  if (!tag_.empty()) text += ":" + tag_;
  if (!digest_.empty()) text += "@" + digest_;
  return text;
}

std::string Reference::str() const {
  return repository() + suffix();
}

std::string Reference::familiar() const {
  return familiar_repository() + suffix();
}

}  // namespace berth::image
