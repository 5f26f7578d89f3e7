// parse_spec(): the reading visitor of spec_fields.h.
#include <concepts>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "container/spec/json_reader.h"
#include "container/spec/names.h"
#include "container/spec/spec.h"
#include "container/spec/spec_fields.h"

namespace berth::container {
namespace {

struct Context {
  JsonReader reader;
  std::string key;  // the member being read; one buffer for all of them
};

template <typename T>
void read_value(Context& context, T& value);

// Offers one member of the text to the fields of a struct; the one of that name reads it.
class MemberReader {
 public:
  explicit MemberReader(Context& context) : context_(context) {}

  template <typename T>
  void field(const char* name, T& member) {
    if (taken_ || context_.key != name) return;
    taken_ = true;
    context_.reader.enter(name);
    // A repeated member replaces the earlier one whole. A null is an absent member.
    member = T();
    if (!context_.reader.skip_null()) read_value(context_, member);
    context_.reader.leave();
  }
  template <typename T>
  void required(const char* name, T& member) {
    const bool before = taken_;
    field(name, member);
    if (taken_ && !before) seen_ |= std::uint64_t{1} << required_;
    ++required_;
  }

  // Starts the next member.
  void next() {
    taken_ = false;
    required_ = 0;
  }
  bool taken() const { return taken_; }
  std::uint64_t seen() const { return seen_; }

 private:
  Context& context_;
  bool taken_ = false;
  unsigned required_ = 0;   // index of the next required field of this pass
  std::uint64_t seen_ = 0;  // bit per required field
};

// Says which required field was not there.
class MissingField {
 public:
  MissingField(Context& context, std::uint64_t seen) : context_(context), seen_(seen) {}
  template <typename T>
  void field(const char*, T&) {}
  template <typename T>
  void required(const char* name, T&) {
    if (seen_ >> index_++ & 1) return;
    context_.reader.enter(name);
    context_.reader.fail_value("given");
    context_.reader.leave();
  }

 private:
  Context& context_;
  std::uint64_t seen_;
  unsigned index_ = 0;
};

template <typename T>
void read_struct(Context& context, T& value) {
  if (!context.reader.begin_object()) return;
  MemberReader members(context);
  while (context.reader.next_key(context.key)) {
    members.next();
    visit_fields(members, value);
    if (!members.taken()) context.reader.skip();
  }
  MissingField missing(context, members.seen());
  visit_fields(missing, value);
}

template <typename T>
void read_enum(Context& context, T& value) {
  std::string name;
  if (!context.reader.read(name)) return;
  if (const auto known = value_of<T>(name)) {
    value = *known;
    return;
  }
  std::string wanted = "one of";
  for (const auto& row : names_of(T{})) wanted.append(" ").append(row.name);
  context.reader.fail_value(fmt::format("{}, not '{}'", wanted, name));
}

template <typename T>
void read_list(Context& context, std::vector<T>& list) {
  if (!context.reader.begin_array()) return;
  while (context.reader.next_item()) {
    context.reader.enter(list.size());
    read_value(context, list.emplace_back());
    context.reader.leave();
  }
}

template <typename T>
void read_map(Context& context, std::map<std::string, T>& map) {
  if (!context.reader.begin_object()) return;
  std::string name;
  while (context.reader.next_key(name)) {
    if (name.find('\0') != std::string::npos) context.reader.fail_value("free of NUL characters");
    // What a structure has in it is named by the path to it; a text is just the map's.
    constexpr bool kNested = !std::same_as<T, std::string>;
    if constexpr (kNested) context.reader.enter(name);
    T value;
    read_value(context, value);
    if constexpr (kNested) context.reader.leave();
    map.insert_or_assign(name, std::move(value));
  }
}

template <typename T>
inline constexpr bool kIsList = false;
template <typename T>
inline constexpr bool kIsList<std::vector<T>> = true;
template <typename T>
inline constexpr bool kIsMap = false;
template <typename T>
inline constexpr bool kIsMap<std::map<std::string, T>> = true;
template <typename T>
inline constexpr bool kIsOptional = false;
template <typename T>
inline constexpr bool kIsOptional<std::optional<T>> = true;

template <typename T>
void read_value(Context& context, T& value) {
  if constexpr (std::same_as<T, std::string> || std::same_as<T, bool>) {
    context.reader.read(value);
  } else if constexpr (std::signed_integral<T>) {
    std::int64_t wide = 0;
    context.reader.read_int(wide, std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
    value = static_cast<T>(wide);
  } else if constexpr (std::unsigned_integral<T>) {
    std::uint64_t wide = 0;
    context.reader.read_uint(wide, std::numeric_limits<T>::max());
    value = static_cast<T>(wide);
  } else if constexpr (std::is_enum_v<T>) {
    read_enum(context, value);
  } else if constexpr (kIsList<T>) {
    read_list(context, value);
  } else if constexpr (kIsOptional<T>) {
    read_value(context, value.emplace());
  } else if constexpr (kIsMap<T>) {
    read_map(context, value);
  } else {
    read_struct(context, value);
  }
}

// The whole text as one T; `noun` is what to call it.
template <typename T>
Result<T> parse_text(std::string_view json, std::string_view noun) {
  if (json.size() > kMaxSpecBytes)
    return fail(ErrorKind::kExhausted, "{} of {} bytes is over the cap of {}", noun, json.size(),
                kMaxSpecBytes);
  Context context{JsonReader(json), {}};
  T value;
  read_struct(context, value);
  context.reader.finish();
  if (!context.reader.ok()) return context.reader.error().context(noun);
  return value;
}

}  // namespace

Result<Spec> parse_spec(std::string_view json) {
  return parse_text<Spec>(json, "config.json");
}

Result<Resources> parse_resources(std::string_view json) {
  Resources resources = TRY(parse_text<Resources>(json, "the resources"));
  TRY(validate(resources));
  return resources;
}

Result<Process> parse_process(std::string_view json) {
  return parse_text<Process>(json, "the process");
}

}  // namespace berth::container
