// The tree that a template's text is parsed into; the evaluator walks it. Private to template*.cc.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace berth::cli::tmpl {

/// Blocks within blocks and parentheses within parentheses, together: no hand-written template
/// comes near it, and the parser and the evaluator recurse this deep.
inline constexpr int kMaxNesting = 64;

struct Pipeline;

/// One word of a command: where a value starts, and the fields taken from it.
struct Operand {
  enum class Start { kDot, kVariable, kLiteral, kFunction, kParentheses };
  Start start = Start::kDot;
  std::string name;                    // of the variable or function
  OrderedJson literal;                 // kLiteral
  std::unique_ptr<Pipeline> pipeline;  // kParentheses
  std::vector<std::string> fields;
};

struct Pipeline {
  std::vector<std::string> variables;  // "$k, $v :=": declared, or assigned, by this pipeline
  std::vector<std::vector<Operand>> commands;  // the value of each is the last argument of the next
};

struct Block;

struct Node {
  enum class Kind { kText, kAction, kIf, kRange, kWith };
  Kind kind = Kind::kText;
  std::string text;
  Pipeline pipeline;
  std::unique_ptr<Block> body;
  std::unique_ptr<Block> otherwise;  // {{else}}; null if there is none
};

struct Block {
  std::vector<Node> nodes;
};

Result<std::unique_ptr<Block>> parse_tree(std::string_view text);

/// Calls docker's template function `name`. kInvalid: there is none, or it cannot take these
/// arguments.
Result<OrderedJson> call_function(std::string_view name, const std::vector<OrderedJson>& arguments);
bool is_function(std::string_view name);

/// Go's idea of what counts as false: null, false, 0, "" and empty collections.
bool truth(const OrderedJson& value);
/// A value as Go's fmt prints it: text bare, lists as [a b], maps as map[k:v].
std::string print_value(const OrderedJson& value);

}  // namespace berth::cli::tmpl
