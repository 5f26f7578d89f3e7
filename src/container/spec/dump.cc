// to_json(): the writing visitor of spec_fields.h.
#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "container/spec/json_writer.h"
#include "container/spec/names.h"
#include "container/spec/spec.h"
#include "container/spec/spec_fields.h"

namespace berth::container {
namespace {

void write_value(JsonWriter& out, std::string& value) {
  out.write(std::string_view(value));
}

template <std::integral T>
void write_value(JsonWriter& out, T value) {
  out.write(value);
}

template <typename T>
  requires std::is_enum_v<T>
void write_value(JsonWriter& out, T value) {
  out.write(name_of(value));
}

template <typename T>
  requires std::is_class_v<T>
void write_value(JsonWriter& out, T& value);

template <typename T>
void write_value(JsonWriter& out, std::map<std::string, T>& map);

template <typename T>
void write_value(JsonWriter& out, std::optional<T>& value) {
  write_value(out, *value);
}

template <typename T>
void write_value(JsonWriter& out, std::vector<T>& list) {
  out.begin_array();
  for (auto& item : list) write_value(out, item);
  out.end_array();
}

template <typename T>
void write_value(JsonWriter& out, std::map<std::string, T>& map) {
  out.begin_object();
  for (auto& [name, value] : map) {
    out.key(name);
    write_value(out, value);
  }
  out.end_object();
}

class MemberWriter {
 public:
  explicit MemberWriter(JsonWriter& out) : out_(out) {}
  template <typename T>
  void field(const char* name, T& member) {
    if (!(member == T())) required(name, member);
  }
  template <typename T>
  void required(const char* name, T& member) {
    out_.key(name);
    write_value(out_, member);
  }

 private:
  JsonWriter& out_;
};

template <typename T>
  requires std::is_class_v<T>
void write_value(JsonWriter& out, T& value) {
  out.begin_object();
  MemberWriter members(out);
  visit_fields(members, value);
  out.end_object();
}

std::string write_spec(const Spec& spec, std::size_t indent) {
  JsonWriter out(indent);
  Spec copy =
      spec;  // one set of tables serves reading and writing; they take what they list by reference
  write_value(out, copy);
  return out.take();
}

}  // namespace

std::string to_json(const Spec& spec) {
  return write_spec(spec, 0);
}

std::string to_pretty_json(const Spec& spec) {
  return write_spec(spec, 2) + "\n";
}

}  // namespace berth::container
