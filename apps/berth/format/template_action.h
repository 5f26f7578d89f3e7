// The inside of one action of a template, "{{...}}": keywords, and a pipeline with one character of
// lookahead. Private to template_parse.cc.
#pragma once

#include <string>
#include <string_view>

#include "berth/format/template_tree.h"

namespace berth::cli::tmpl {

class ActionParser {
 public:
  /// `text` is borrowed; `nesting` is how deep the action stands in blocks and parentheses.
  ActionParser(std::string_view text, int nesting) : text_(text), nesting_(nesting) {}

  /// Skips spaces; whether there is nothing behind them.
  bool at_end();
  std::string_view rest() const { return text_; }
  /// Takes a leading keyword, which must end where a word ends.
  bool take_keyword(std::string_view keyword);
  /// The rest of the action; within parentheses, up to the closing one, which is not taken.
  Result<Pipeline> pipeline(bool in_parentheses = false);

 private:
  void skip_space();
  std::string take_word();
  Result<void> declarations(Pipeline& result);
  Result<Operand> operand();
  Result<Operand> fields(Operand result);
  Result<Operand> word();
  Result<Operand> number();
  Result<Operand> quoted();

  std::string_view text_;
  int nesting_;
};

}  // namespace berth::cli::tmpl
