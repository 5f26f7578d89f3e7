// The functions a template may call: Go's own that make sense on JSON, and those docker adds.
#include <algorithm>
#include <array>
#include <cctype>

#include "berth/format/template_tree.h"

namespace berth::cli::tmpl {
namespace {

using Values = std::vector<OrderedJson>;

Error failed(std::string_view what) {
  return fail(ErrorKind::kInvalid, "template parsing error: {}", what);
}

// Widths and counts beyond this are mistakes, and would only fill memory.
constexpr std::int64_t kMaxPadding = 4096;

Result<OrderedJson> to_json(const Values& v) {
  return OrderedJson(dump_json(v[0]));
}

Result<OrderedJson> index(const Values& v) {
  const OrderedJson* value = v.data();
  for (std::size_t i = 1; i < v.size(); ++i) {
    const OrderedJson& key = v[i];
    if (value->is_object() && key.is_string()) {
      const auto found = value->find(key.get_ref<const std::string&>());
      // What a map lacks is the zero value, which prints as nothing here: most maps hold text.
      if (found == value->end()) return OrderedJson("");
      value = &*found;
    } else if (value->is_array() && key.is_number_integer()) {
      const auto position = key.get<std::int64_t>();
      if (position < 0 || static_cast<std::size_t>(position) >= value->size())
        return failed(fmt::format("index out of range: {}", position));
      value = &(*value)[static_cast<std::size_t>(position)];
    } else if (value->is_null() && key.is_string()) {
      return OrderedJson("");
    } else {
      return failed(fmt::format("cannot index {} with {}", value->type_name(), key.type_name()));
    }
  }
  return *value;
}

Result<OrderedJson> length(const Values& v) {
  if (v[0].is_string()) return OrderedJson(v[0].get_ref<const std::string&>().size());
  if (v[0].is_structured() || v[0].is_null()) return OrderedJson(v[0].size());
  return failed(fmt::format("len of type {}", v[0].type_name()));
}

Result<std::string> text_of(const OrderedJson& value) {
  if (!value.is_string())
    return failed(fmt::format("expected string; found {}", value.type_name()));
  return value.get<std::string>();
}

template <int (*Change)(int)>
Result<OrderedJson> change_case(const Values& v) {
  std::string text = TRY(text_of(v[0]));
  for (char& c : text) c = static_cast<char>(Change(static_cast<unsigned char>(c)));
  return OrderedJson(std::move(text));
}

Result<OrderedJson> title(const Values& v) {
  std::string text = TRY(text_of(v[0]));
  bool starts_word = true;
  for (char& c : text) {
    if (starts_word) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    starts_word = c == ' ';
  }
  return OrderedJson(std::move(text));
}

Result<OrderedJson> join(const Values& v) {
  const std::string separator = TRY(text_of(v[1]));
  std::string text;
  if (!v[0].is_array() && !v[0].is_null()) return failed("join wants a list");
  for (std::size_t i = 0; i < v[0].size(); ++i)
    text += (i == 0 ? "" : separator) + print_value(v[0][i]);
  return OrderedJson(std::move(text));
}

Result<OrderedJson> split(const Values& v) {
  const std::string text = TRY(text_of(v[0]));
  const std::string separator = TRY(text_of(v[1]));
  OrderedJson parts = OrderedJson::array();
  if (separator.empty()) {
    for (const char c : text) parts.push_back(std::string(1, c));
    return parts;
  }
  for (std::size_t begin = 0;;) {
    const auto end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string::npos) return parts;
    begin = end + separator.size();
  }
}

Result<OrderedJson> truncate(const Values& v) {
  const std::string text = TRY(text_of(v[0]));
  if (!v[1].is_number_integer() || v[1].get<std::int64_t>() < 0)
    return failed("truncate wants a count");
  return OrderedJson(text.substr(0, static_cast<std::size_t>(v[1].get<std::int64_t>())));
}

Result<OrderedJson> pad(const Values& v) {
  const std::string text = TRY(text_of(v[0]));
  for (std::size_t i = 1; i < 3; ++i)
    if (!v[i].is_number_integer() || v[i].get<std::int64_t>() < 0 ||
        v[i].get<std::int64_t>() > kMaxPadding)
      return failed("pad wants two counts");
  if (text.empty()) return OrderedJson(text);
  return OrderedJson(std::string(v[1].get<std::size_t>(), ' ') + text +
                     std::string(v[2].get<std::size_t>(), ' '));
}

Result<OrderedJson> print(const Values& v) {
  std::string text;
  for (std::size_t i = 0; i < v.size(); ++i) {
    if (i > 0 && !v[i].is_string() && !v[i - 1].is_string()) text += ' ';
    text += print_value(v[i]);
  }
  return OrderedJson(std::move(text));
}

Result<OrderedJson> println(const Values& v) {
  std::string text;
  for (std::size_t i = 0; i < v.size(); ++i) text += (i == 0 ? "" : " ") + print_value(v[i]);
  return OrderedJson(text + "\n");
}

// %s, %v, %d, %q, %t with an optional "-" and width; %%.
Result<OrderedJson> printf(const Values& v) {
  const std::string format = TRY(text_of(v[0]));
  std::string text;
  std::size_t next = 1;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      text += format[i];
      continue;
    }
    bool left = false;
    std::int64_t width = 0;
    for (++i; i < format.size() &&
              (format[i] == '-' || std::isdigit(static_cast<unsigned char>(format[i])) != 0);
         ++i) {
      if (format[i] == '-') {
        left = true;
      } else {
        width = std::min(width * 10 + (format[i] - '0'), kMaxPadding);
      }
    }
    if (i == format.size()) return failed("printf ends in an open verb");
    if (format[i] == '%') {
      text += '%';
      continue;
    }
    if (next >= v.size()) return failed("printf has more verbs than arguments");
    if (std::string_view("svdqt").find(format[i]) == std::string_view::npos)
      return failed(fmt::format("printf verb %{} is not supported", format[i]));
    std::string value =
        format[i] == 'q' ? dump_json(OrderedJson(print_value(v[next]))) : print_value(v[next]);
    ++next;
    const auto wanted = static_cast<std::size_t>(width);
    if (value.size() < wanted) value.insert(left ? value.size() : 0, wanted - value.size(), ' ');
    text += value;
  }
  return OrderedJson(std::move(text));
}

Result<OrderedJson> negate(const Values& v) {
  return OrderedJson(!truth(v[0]));
}

Result<OrderedJson> all_of(const Values& v) {
  for (const auto& value : v)
    if (!truth(value)) return value;
  return v.back();
}

Result<OrderedJson> any_of(const Values& v) {
  for (const auto& value : v)
    if (truth(value)) return value;
  return v.back();
}

Result<OrderedJson> equal(const Values& v) {
  return OrderedJson(
      std::any_of(v.begin() + 1, v.end(), [&](const OrderedJson& other) { return v[0] == other; }));
}

Result<OrderedJson> unequal(const Values& v) {
  return OrderedJson(v[0] != v[1]);
}

template <bool (*Wanted)(bool less, bool same)>
Result<OrderedJson> compare(const Values& v) {
  if (!(v[0].is_number() && v[1].is_number()) && !(v[0].is_string() && v[1].is_string()))
    return failed("incompatible types for comparison");
  return OrderedJson(Wanted(v[0] < v[1], v[0] == v[1]));
}

struct Function {
  std::string_view name;
  std::size_t min_arguments;
  std::size_t max_arguments;
  Result<OrderedJson> (*call)(const Values&);
};
constexpr std::size_t kAny = 64;
constexpr std::array<Function, 22> kFunctions = {{
    {"json", 1, 1, to_json},
    {"index", 1, kAny, index},
    {"len", 1, 1, length},
    {"upper", 1, 1, change_case<std::toupper>},
    {"lower", 1, 1, change_case<std::tolower>},
    {"title", 1, 1, title},
    {"join", 2, 2, join},
    {"split", 2, 2, split},
    {"truncate", 2, 2, truncate},
    {"pad", 3, 3, pad},
    {"print", 0, kAny, print},
    {"println", 0, kAny, println},
    {"printf", 1, kAny, printf},
    {"not", 1, 1, negate},
    {"and", 1, kAny, all_of},
    {"or", 1, kAny, any_of},
    {"eq", 2, kAny, equal},
    {"ne", 2, 2, unequal},
    {"lt", 2, 2, compare<+[](bool less, bool) { return less; }>},
    {"le", 2, 2, compare<+[](bool less, bool same) { return less || same; }>},
    {"gt", 2, 2, compare<+[](bool less, bool same) { return !less && !same; }>},
    {"ge", 2, 2, compare<+[](bool less, bool) { return !less; }>},
}};

const Function* find_function(std::string_view name) {
  const auto* const found = std::ranges::find(kFunctions, name, &Function::name);
  return found == kFunctions.end() ? nullptr : found;
}

}  // namespace

bool is_function(std::string_view name) {
  return find_function(name) != nullptr;
}

Result<OrderedJson> call_function(std::string_view name, const Values& arguments) {
  const Function* function = find_function(name);
  if (!function) return failed(fmt::format("function \"{}\" not defined", name));
  if (arguments.size() < function->min_arguments || arguments.size() > function->max_arguments)
    return failed(fmt::format("wrong number of args for {}: got {}", name, arguments.size()));
  return function->call(arguments);
}

bool truth(const OrderedJson& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value != 0;
  if (value.is_string()) return !value.get_ref<const std::string&>().empty();
  return !value.empty();
}

std::string print_value(const OrderedJson& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "<no value>";
  if (value.is_array()) {
    std::string text = "[";
    for (std::size_t i = 0; i < value.size(); ++i)
      text += (i == 0 ? "" : " ") + print_value(value[i]);
    return text + "]";
  }
  if (value.is_object()) {
    std::vector<std::string> members;
    for (const auto& member : value.items())
      members.push_back(member.key() + ":" + print_value(member.value()));
    std::ranges::sort(members);
    return fmt::format("map[{}]", fmt::join(members, " "));
  }
  return dump_json(value);
}

}  // namespace berth::cli::tmpl
