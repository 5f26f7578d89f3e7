// Template: the part of Go's text/template that people use with --format: fields, variables,
// pipelines, the functions docker adds, if/else, range, with, comments and trim markers. Not here:
// define, block, template, and methods of Go's types. https://pkg.go.dev/text/template is the
// reference.
//
// The text comes from a user and the data from an engine; both may be anything. Nesting is capped,
// and every other loop is bounded by the length of the two.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace berth::cli {

namespace tmpl {
struct Block;
}

class Template {
 public:
  /// kInvalid says what is wrong with the text, in docker's "template parsing error: ..." form.
  static Result<Template> parse(std::string_view text);

  Template(Template&& other) noexcept;
  Template& operator=(Template&& other) noexcept;
  ~Template();

  /// The text with `data` as the dot. kInvalid if the template asks for what `data` has not.
  Result<std::string> execute(const OrderedJson& data) const;

 private:
  explicit Template(std::unique_ptr<const tmpl::Block> root);

  std::unique_ptr<const tmpl::Block> root_;
};

}  // namespace berth::cli
