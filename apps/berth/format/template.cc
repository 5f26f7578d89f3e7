#include "berth/format/template.h"

#include <strings.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "berth/format/template_tree.h"

namespace berth::cli {
namespace tmpl {
namespace {

Error failed(std::string_view what) {
  return fail(ErrorKind::kInvalid, "template parsing error: {}", what);
}

class Evaluator {
 public:
  explicit Evaluator(const OrderedJson& data) { variables_.emplace_back("", data); }

  Result<void> run(const Block& block, const OrderedJson& dot) {
    const std::size_t scope = variables_.size();
    for (const Node& node : block.nodes) TRY(run_node(node, dot));
    variables_.erase(variables_.begin() + static_cast<std::ptrdiff_t>(scope), variables_.end());
    return {};
  }

  std::string take_output() { return std::move(out_); }

 private:
  Result<void> run_node(const Node& node, const OrderedJson& dot) {
    if (node.kind == Node::Kind::kText) {
      out_ += node.text;
      return {};
    }
    const std::size_t scope = variables_.size();
    const OrderedJson value = TRY(evaluate(node.pipeline, dot));
    if (node.kind == Node::Kind::kAction) {
      if (node.pipeline.variables.empty()) {
        out_ += print_value(value);
      } else {
        declare(node.pipeline.variables.back(), value);
      }
      return {};
    }
    if (node.kind == Node::Kind::kRange && truth(value)) {
      TRY(run_range(node, value));
    } else if (truth(value)) {
      if (!node.pipeline.variables.empty()) declare(node.pipeline.variables.back(), value);
      TRY(run(*node.body, node.kind == Node::Kind::kWith ? value : dot));
    } else if (node.otherwise) {
      TRY(run(*node.otherwise, dot));
    }
    variables_.erase(variables_.begin() + static_cast<std::ptrdiff_t>(scope), variables_.end());
    return {};
  }

  Result<void> run_range(const Node& node, const OrderedJson& value) {
    const auto step = [&](const OrderedJson& key, const OrderedJson& item) -> Result<void> {
      const auto& names = node.pipeline.variables;
      const std::size_t scope = variables_.size();
      if (names.size() == 2) declare(names[0], key);
      if (!names.empty()) declare(names.back(), item);
      TRY(run(*node.body, item));
      variables_.erase(variables_.begin() + static_cast<std::ptrdiff_t>(scope), variables_.end());
      return {};
    };
    if (value.is_array()) {
      for (std::size_t i = 0; i < value.size(); ++i) TRY(step(i, value[i]));
      return {};
    }
    if (!value.is_object())
      return failed(fmt::format("range can't iterate over {}", print_value(value)));
    std::vector<std::string> keys;  // Go visits the keys of a map in their order
    for (const auto& member : value.items()) keys.push_back(member.key());
    std::ranges::sort(keys);
    for (const auto& key : keys) TRY(step(key, value.at(key)));
    return {};
  }

  void declare(const std::string& name, const OrderedJson& value) {
    variables_.emplace_back(name, value);
  }

  Result<OrderedJson> evaluate(const Pipeline& pipeline, const OrderedJson& dot) {
    std::optional<OrderedJson> piped;
    for (const auto& command : pipeline.commands)
      piped = TRY(evaluate_command(command, dot, piped));
    return std::move(*piped);
  }

  Result<OrderedJson> evaluate_command(const std::vector<Operand>& command, const OrderedJson& dot,
                                       const std::optional<OrderedJson>& piped) {
    const Operand& first = command.front();
    std::vector<OrderedJson> arguments;
    for (std::size_t i = 1; i < command.size(); ++i)
      arguments.push_back(TRY(evaluate_operand(command[i], dot)));
    if (piped) arguments.push_back(*piped);
    if (first.start == Operand::Start::kFunction)
      return take_fields(TRY(call_function(first.name, arguments)), first.fields);
    OrderedJson value = TRY(evaluate_operand(first, dot));
    // A field with an argument is a method in Go: the only ones that rows have look a label up.
    if (arguments.empty()) return value;
    if (arguments.size() > 1 || !arguments[0].is_string() || !value.is_object())
      return failed("can't give argument to non-function");
    const auto found = value.find(arguments[0].get_ref<const std::string&>());
    return found == value.end() ? OrderedJson("") : *found;
  }

  Result<OrderedJson> evaluate_operand(const Operand& operand, const OrderedJson& dot) {
    switch (operand.start) {
      case Operand::Start::kDot:
        return take_fields(dot, operand.fields);
      case Operand::Start::kLiteral:
        return operand.literal;
      case Operand::Start::kFunction:
        return take_fields(TRY(call_function(operand.name, {})), operand.fields);
      case Operand::Start::kParentheses:
        return take_fields(TRY(evaluate(*operand.pipeline, dot)), operand.fields);
      case Operand::Start::kVariable:
        for (auto it = variables_.rbegin(); it != variables_.rend(); ++it)
          if (it->first == operand.name) return take_fields(it->second, operand.fields);
        return failed(fmt::format("undefined variable \"${}\"", operand.name));
    }
    return failed("unknown operand");
  }

  static Result<OrderedJson> take_fields(const OrderedJson& start,
                                         const std::vector<std::string>& fields) {
    const OrderedJson* value = &start;
    for (const auto& field : fields) {
      if (value->is_null()) return failed(fmt::format("nil pointer evaluating .{}", field));
      if (!value->is_object())
        return failed(fmt::format("can't evaluate field {} in {}", field, value->type_name()));
      value = find_field(*value, field);
      if (value == nullptr) return failed(fmt::format("map has no entry for key \"{}\"", field));
    }
    return *value;
  }

  // Docker's templates see Go's fields, whose names differ from those in JSON by case alone: .ID
  // and Id, .APIVersion and ApiVersion. The exact name comes first.
  static const OrderedJson* find_field(const OrderedJson& object, const std::string& field) {
    if (const auto exact = object.find(field); exact != object.end()) return &*exact;
    for (auto it = object.begin(); it != object.end(); ++it)
      if (::strcasecmp(it.key().c_str(), field.c_str()) == 0) return &it.value();
    return nullptr;
  }

  std::vector<std::pair<std::string, OrderedJson>> variables_;  // innermost last; "" is $
  std::string out_;
};

}  // namespace
}  // namespace tmpl

Template::Template(std::unique_ptr<const tmpl::Block> root) : root_(std::move(root)) {}
Template::Template(Template&& other) noexcept = default;
Template& Template::operator=(Template&& other) noexcept = default;
Template::~Template() = default;

Result<Template> Template::parse(std::string_view text) {
  return Template(TRY(tmpl::parse_tree(text)));
}

Result<std::string> Template::execute(const OrderedJson& data) const {
  tmpl::Evaluator evaluator(data);
  TRY(evaluator.run(*root_, data));
  return evaluator.take_output();
}

}  // namespace berth::cli
