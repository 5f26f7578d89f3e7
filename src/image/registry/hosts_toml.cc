#include "image/registry/hosts_toml.h"

// It asserts of a file what it then checks: "[." is an error of the file's.
#define TOML_ASSERT(expression) static_assert(true)
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace berth::image {
namespace {

constexpr std::chrono::hours kMaxTimeout{1};

struct Unit {
  std::string_view name;
  double milliseconds;
};
// As Go's time.ParseDuration() has them, in ASCII; "m" after "ms", which begins with it.
constexpr auto kUnits = std::to_array<Unit>(
    {{"ns", 1e-6}, {"us", 1e-3}, {"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}});

/// "1m30s", "500ms", "1.5s".
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  double sum = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const auto number = text.substr(0, text.find_first_not_of("0123456789."));
    double count = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), count);
    if (error != std::errc() || end != number.data() + number.size()) return std::nullopt;
    text.remove_prefix(number.size());
    const auto unit =
        std::ranges::find_if(kUnits, [&](const Unit& one) { return text.starts_with(one.name); });
    if (unit == kUnits.end()) return std::nullopt;
    text.remove_prefix(unit->name.size());
    sum += count * unit->milliseconds;
  }
  const double most = std::chrono::duration<double, std::milli>(kMaxTimeout).count();
  if (!(sum > 0) || sum > most) return std::nullopt;
  return std::chrono::milliseconds(static_cast<long>(std::ceil(sum)));
}

bool is_field_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < ' '; });
}

class Parser {
 public:
  Parser(const std::string& file, std::string_view domain)
      : file_(file), directory_(file.substr(0, file.rfind('/') + 1)), domain_(domain) {}

  Result<std::vector<RegistryHost>> run(std::string_view text) {
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // of an editor
    TRY(check_characters(text));
    const toml::parse_result parsed = toml::parse(text, std::string_view(file_));
    if (parsed.failed()) {
      const toml::parse_error& error = parsed.error();
      return fail(ErrorKind::kInvalid, "{}:{}: {}", file_, error.source().begin.line,
                  error.description());
    }
    const toml::table& root = parsed.table();
    std::vector<RegistryHost> hosts = TRY(mirrors(root));
    RegistryHost registry = default_host(domain_);
    if (const toml::node* server = root.get("server")) {
      registry.skip_verify = registry.may_be_plain = false;
      registry.address = TRY(address(TRY(text_of(*server, "server")), *server, root));
    }
    TRY(describe(root, registry, {"server", "host"}));
    hosts.push_back(std::move(registry));
    return hosts;
  }

 private:
  template <typename... T>
  Error wrong(const toml::node& node, fmt::format_string<T...> text, T&&... arguments) const {
    return fail(ErrorKind::kInvalid, "{}:{}: {}", file_, node.source().begin.line,
                fmt::format(text, std::forward<T>(arguments)...));
  }

  // TOML has no control characters, and other letters in strings and comments alone; the library
  // (3.3) loses its way with either where they do not belong. An address needs neither.
  Result<void> check_characters(std::string_view text) const {
    for (std::size_t number = 1; !text.empty(); ++number) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(line.size() + 1, text.size()));
      const auto first = line.find_first_not_of(" \t");
      const bool is_comment = first != line.npos && line[first] == '#';
      for (const char c : line) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte < ' ' && c != '\t' && c != '\r') || c == 0x7f)
          return fail(ErrorKind::kInvalid, "{}:{}: there is a control character", file_, number);
        if (byte > 0x7f && !is_comment)
          return fail(ErrorKind::kInvalid,
                      "{}:{}: characters that are not ASCII are for comments, on lines of their "
                      "own",
                      file_, number);
      }
    }
    return {};
  }

  Result<std::vector<RegistryHost>> mirrors(const toml::table& root) const {
    std::vector<RegistryHost> hosts;
    const toml::node* all = root.get("host");
    if (all == nullptr) return hosts;
    const toml::table* tables = all->as_table();
    if (tables == nullptr) return wrong(*all, "'host' is not a table");
    if (tables->size() > kMaxMirrors)
      return wrong(*all, "there are more than {} hosts", kMaxMirrors);
    struct Entry {
      std::string_view name;
      const toml::node* node;
    };
    std::vector<Entry> entries;
    for (const auto& [key, node] : *tables) entries.push_back({key.str(), &node});
    // A table of the library's is sorted by its keys; what counts is where they stand.
    std::ranges::sort(entries, {}, [](const Entry& entry) {
      const auto& place = entry.node->source().begin;
      return std::pair(place.line, place.column);
    });
    for (const auto& [name, node] : entries) {
      const toml::table* table = node->as_table();
      if (table == nullptr) return wrong(*node, "host '{}' is not a table", name);
      RegistryHost host;
      host.address = TRY(address(name, *node, *table));
      TRY(describe(*table, host, {}));
      hosts.push_back(std::move(host));
    }
    return hosts;
  }

  Result<void> describe(const toml::table& table, RegistryHost& host,
                        std::initializer_list<std::string_view> others) const {
    for (const auto& [key, node] : table) {
      const std::string_view name = key.str();
      if (std::ranges::find(others, name) != others.end()) continue;
      const auto known = std::ranges::find(kKeys, name, &Key::name);
      if (known == kKeys.end()) return wrong(node, "the key '{}' is not known", name);
      TRY((this->*known->take)(node, host));
    }
    return {};
  }

  Result<std::string> address(std::string_view text, const toml::node& node,
                              const toml::table& table) const {
    std::string whole(text);
    if (text.find("://") == std::string_view::npos) whole.insert(0, "https://");
    const std::string host(authority_of(whole));
    const bool fits = (whole.starts_with("https://") || whole.starts_with("http://")) &&
                      !host.empty() && whole.find_first_of("?#@ \"\\") == std::string::npos &&
                      !has_control(whole);
    if (!fits)
      return wrong(node, "'{}' is no address of a server, as https://mirror.example:5000 is", text);
    while (whole.ends_with('/')) whole.pop_back();
    bool as_it_is = false;
    if (const toml::node* override_path = table.get("override_path"))
      as_it_is = TRY(flag(*override_path, "override_path"));
    if (!as_it_is && !whole.ends_with("/v2")) whole += "/v2";
    // What Docker Hub is called by answers no requests.
    if (host == "docker.io" || host == "index.docker.io")
      whole.replace(whole.find("://") + 3, host.size(), server_of("docker.io"));
    return whole;
  }

  Result<std::string> text_of(const toml::node& node, std::string_view name) const {
    const auto text = node.value_exact<std::string>();
    if (!text || text->empty()) return wrong(node, "'{}' is not a text", name);
    return *text;
  }

  Result<bool> flag(const toml::node& node, std::string_view name) const {
    const auto value = node.value_exact<bool>();
    if (!value) return wrong(node, "'{}' is neither true nor false", name);
    return *value;
  }

  Result<std::vector<std::string>> texts(const toml::node& node, std::string_view name) const {
    std::vector<std::string> all;
    const toml::array* list = node.as_array();
    if (list == nullptr) return std::vector{TRY(text_of(node, name))};
    for (const toml::node& item : *list) all.push_back(TRY(text_of(item, name)));
    return all;
  }

  std::string path(const std::string& text) const {
    return text.starts_with('/') ? text : directory_ + text;
  }

  Result<void> capabilities(const toml::node& node, RegistryHost& host) const {
    const auto all = TRY(texts(node, "capabilities"));
    if (all.empty()) return {};
    host.pulls = host.resolves = host.pushes = false;
    for (const std::string& one : all) {
      bool* const known = one == "pull"      ? &host.pulls
                          : one == "resolve" ? &host.resolves
                          : one == "push"    ? &host.pushes
                                             : nullptr;
      if (known == nullptr)
        return wrong(node, "the capability '{}' is none of pull, resolve and push", one);
      *known = true;
    }
    return {};
  }

  Result<void> authorities(const toml::node& node, RegistryHost& host) const {
    for (const std::string& one : TRY(texts(node, "ca"))) host.authorities.push_back(path(one));
    return {};
  }

  Result<void> clients(const toml::node& node, RegistryHost& host) const {
    const toml::array* list = node.as_array();
    if (list == nullptr) {
      host.clients.push_back({path(TRY(text_of(node, "client"))), {}});
      return {};
    }
    for (const toml::node& item : *list) {
      const toml::array* pair = item.as_array();
      if (pair == nullptr) {
        host.clients.push_back({path(TRY(text_of(item, "client"))), {}});
        continue;
      }
      const toml::node* key = pair->get(1);
      const auto name = key == nullptr ? std::nullopt : key->value_exact<std::string>();
      if (pair->size() != 2 || !name)
        return wrong(item, "a pair of 'client' is not a certificate and its key");
      host.clients.push_back(
          {path(TRY(text_of(*pair->get(0), "client"))), name->empty() ? *name : path(*name)});
    }
    return {};
  }

  Result<void> skip_verify(const toml::node& node, RegistryHost& host) const {
    host.skip_verify = TRY(flag(node, "skip_verify"));
    return {};
  }

  Result<void> fields(const toml::node& node, RegistryHost& host) const {
    const toml::table* table = node.as_table();
    if (table == nullptr) return wrong(node, "'header' is not a table");
    for (const auto& [key, values] : *table) {
      if (!is_field_name(key.str())) return wrong(values, "'{}' is no name of a header", key.str());
      for (const std::string& value : TRY(texts(values, key.str()))) {
        if (has_control(value)) return wrong(values, "'{}' has a control character", key.str());
        host.fields.emplace_back(key.str(), value);
      }
    }
    return {};
  }

  // Taken into account where the address is.
  Result<void> override_path(const toml::node& node, RegistryHost&) const {
    TRY(flag(node, "override_path"));
    return {};
  }

  Result<void> dial_timeout(const toml::node& node, RegistryHost& host) const {
    const std::string text = TRY(text_of(node, "dial_timeout"));
    const auto timeout = parse_duration(text);
    if (!timeout) return wrong(node, "'{}' is no duration up to an hour, as \"1m30s\" is", text);
    host.connect_timeout = *timeout;
    return {};
  }

  Result<void> proxy(const toml::node& node, RegistryHost& host) const {
    constexpr std::string_view kSchemes[] = {"http", "https", "socks5", "socks5h"};
    host.proxy = TRY(text_of(node, "proxy"));
    while (host.proxy.ends_with('/')) host.proxy.pop_back();
    const std::string_view scheme = std::string_view(host.proxy).substr(0, host.proxy.find("://"));
    if (std::ranges::find(kSchemes, scheme) == std::end(kSchemes) ||
        authority_of(host.proxy).empty() || origin_of(host.proxy) != host.proxy ||
        has_control(host.proxy))
      return wrong(node, "'{}' is no address of a proxy, as http://proxy.example:3128 is",
                   host.proxy);
    return {};
  }

  struct Key {
    std::string_view name;
    Result<void> (Parser::*take)(const toml::node&, RegistryHost&) const;
  };
  static const std::array<Key, 8> kKeys;

  const std::string& file_;
  const std::string directory_;  // with its slash
  const std::string_view domain_;
};

constexpr std::array<Parser::Key, 8> Parser::kKeys = {{{"capabilities", &Parser::capabilities},
                                                       {"ca", &Parser::authorities},
                                                       {"client", &Parser::clients},
                                                       {"skip_verify", &Parser::skip_verify},
                                                       {"header", &Parser::fields},
                                                       {"override_path", &Parser::override_path},
                                                       {"dial_timeout", &Parser::dial_timeout},
                                                       {"proxy", &Parser::proxy}}};

}  // namespace

Result<std::vector<RegistryHost>> parse_hosts_toml(std::string_view text, const std::string& file,
                                                   std::string_view domain) {
  if (text.size() > kMaxHostsToml)
    return fail(ErrorKind::kInvalid, "{} is over {} bytes", file, kMaxHostsToml);
  return Parser(file, domain).run(text);
}

}  // namespace berth::image
