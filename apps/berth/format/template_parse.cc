// Text to tree: cuts the text at "{{" and "}}", and nests what blocks enclose.
#include <optional>
#include <utility>

#include "berth/format/template_action.h"
#include "berth/format/template_tree.h"

namespace berth::cli::tmpl {
namespace {

Error syntax(std::string_view what) {
  return fail(ErrorKind::kInvalid, "template parsing error: {}", what);
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

class TreeParser {
 public:
  explicit TreeParser(std::string_view text) : text_(text) {}

  Result<std::unique_ptr<Block>> parse() {
    auto root = TRY(block(0));
    if (ended_by_ != Ending::kText)
      return syntax(ended_by_ == Ending::kEnd ? "unexpected {{end}}" : "unexpected {{else}}");
    return root;
  }

 private:
  enum class Ending { kText, kElse, kEnd };

  // Nodes up to the {{end}} or {{else}} of this block, or the end of the text. After {{else if
  // ...}} the rest of that action waits in else_action_.
  Result<std::unique_ptr<Block>> block(int nesting) {
    if (nesting > kMaxNesting) return syntax("nested too deeply");
    auto result = std::make_unique<Block>();
    for (;;) {
      auto inside = TRY(next_action(*result));
      if (!inside) {
        ended_by_ = Ending::kText;
        return result;
      }
      ActionParser action(*inside, nesting);
      if (action.at_end() || action.rest().starts_with("/*")) {
        if (action.rest().empty()) return syntax("missing value for command");
        continue;
      }
      if (action.take_keyword("end")) {
        ended_by_ = Ending::kEnd;
        return result;
      }
      if (action.take_keyword("else")) {
        ended_by_ = Ending::kElse;
        else_action_ = action.at_end() ? std::string_view() : action.rest();
        return result;
      }
      result->nodes.push_back(TRY(node(action, nesting)));
    }
  }

  Result<Node> node(ActionParser& action, int nesting) {
    Node result;
    result.kind = action.take_keyword("if")      ? Node::Kind::kIf
                  : action.take_keyword("range") ? Node::Kind::kRange
                  : action.take_keyword("with")  ? Node::Kind::kWith
                                                 : Node::Kind::kAction;
    result.pipeline = TRY(action.pipeline());
    if (result.kind == Node::Kind::kAction) return result;

    result.body = TRY(block(nesting + 1));
    if (ended_by_ == Ending::kElse) {
      if (else_action_.empty()) {
        result.otherwise = TRY(block(nesting + 1));
        if (ended_by_ == Ending::kElse) return syntax("expected end; found {{else}}");
      } else {
        // {{else if x}} is an if inside the else; the one {{end}} closes both.
        ActionParser chained(else_action_, nesting + 1);
        if (nesting + 1 > kMaxNesting) return syntax("nested too deeply");
        result.otherwise = std::make_unique<Block>();
        result.otherwise->nodes.push_back(TRY(node(chained, nesting + 1)));
      }
    }
    if (ended_by_ != Ending::kEnd) return syntax("unexpected EOF: {{end}} is missing");
    return result;
  }

  // Takes the text before the next action into `block`, and the action; nothing at the end of the
  // text.
  Result<std::optional<std::string_view>> next_action(Block& block) {
    const auto open = text_.find("{{");
    std::string_view before = text_.substr(0, open);
    if (trim_next_)
      while (!before.empty() && is_space(before[0])) before.remove_prefix(1);
    trim_next_ = false;
    std::optional<std::string_view> inside;
    if (open == std::string_view::npos) {
      text_ = {};
    } else {
      text_.remove_prefix(open + 2);
      if (text_.size() > 1 && text_[0] == '-' && is_space(text_[1])) {
        text_.remove_prefix(1);
        while (!before.empty() && is_space(before.back())) before.remove_suffix(1);
      }
      const auto close = end_of_action();
      if (close == std::string_view::npos) return syntax("unclosed action");
      inside = text_.substr(0, close);
      if (close > 1 && text_[close - 1] == '-' && is_space(text_[close - 2])) {
        inside->remove_suffix(1);
        trim_next_ = true;
      }
      text_.remove_prefix(close + 2);
    }
    if (!before.empty()) {
      Node text;
      text.text = before;
      block.nodes.push_back(std::move(text));
    }
    return inside;
  }

  // Where "}}" ends the action, strings skipped.
  std::size_t end_of_action() const {
    char quote = 0;
    for (std::size_t i = 0; i < text_.size(); ++i) {
      const char c = text_[i];
      if (quote != 0) {
        if (c == '\\' && quote == '"') {
          ++i;
        } else if (c == quote) {
          quote = 0;
        }
      } else if (c == '"' || c == '`') {
        quote = c;
      } else if (c == '}' && text_.substr(i).starts_with("}}")) {
        return i;
      }
    }
    return std::string_view::npos;
  }

  std::string_view text_;
  bool trim_next_ = false;
  Ending ended_by_ = Ending::kText;
  std::string_view else_action_;
};

}  // namespace

Result<std::unique_ptr<Block>> parse_tree(std::string_view text) {
  return TreeParser(text).parse();
}

}  // namespace berth::cli::tmpl
