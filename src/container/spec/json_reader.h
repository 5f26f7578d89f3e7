// JsonReader: a strict pull parser that reads JSON straight into values, without a tree in between.
// Why not the tree of base/json.h: config.json is read on the path of every start, and building and
// freeing its tree costs a seventh of `berth-runtime run` (docs/design/container.md); a test holds
// the two readers to the same verdicts. The caller drives it in the order of the text. After the
// first error every call fails at once, and error() says where; so callers check once, at the end.
// Borrows the text. RFC 8259; strings must be UTF-8 and hold no NUL, since each of them ends up in
// a system call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace berth::container {

class JsonReader {
 public:
  /// `text` must outlive the reader.
  explicit JsonReader(std::string_view text) : text_(text) {}

  bool ok() const { return !failed_; }
  /// The first error: kInvalid, with the field's path ("process.args[2]") or the line.
  Error error() const;

  /// Consumes a null if one is next.
  bool skip_null();
  /// `{` ... then next_key() until it says false.
  bool begin_object();
  /// The next member's name, in `key` until the next call; false at the end of the object or after
  /// an error.
  bool next_key(std::string& key);
  /// `[` ... then next_item() until it says false.
  bool begin_array();
  bool next_item();

  bool read(std::string& value);
  bool read(bool& value);
  /// A whole number within [lowest, highest].
  bool read_int(std::int64_t& value, std::int64_t lowest, std::int64_t highest);
  bool read_uint(std::uint64_t& value, std::uint64_t highest);
  /// Skips one value of any kind and returns its text.
  std::string_view skip();
  /// Nothing but white space may be left.
  void finish();

  // Where the reader is, for the text of an error. Callers enter before a value and leave after it.
  void enter(std::string_view member) { path_.push_back({member, 0}); }
  void enter(std::size_t index) { path_.push_back({{}, index}); }
  void leave() { path_.pop_back(); }
  /// "linux.devices[2].path"; empty at the outermost level.
  std::string path() const;
  /// Fails with "<path> must be <wanted>".
  void fail_value(std::string_view wanted);

 private:
  struct Step {
    std::string_view member;  // empty: an index; names of the schema, which are static
    std::size_t index;
  };

  void fail_syntax(std::string_view what);
  void skip_value();
  void white_space();
  char peek();
  bool expect(char c);
  bool literal(std::string_view word);
  bool string_body(std::string* out);
  bool escape(std::string* out);
  bool unicode_escape(std::string* out);
  bool hex4(unsigned& value);
  bool number_text(std::string_view& text, bool& whole);
  bool separator(char close);

  std::string_view text_;
  std::size_t at_ = 0;
  bool first_ = false;  // a container was just opened: no comma comes before what is next
  bool failed_ = false;
  std::size_t depth_ = 0;
  std::vector<Step> path_;
  std::string what_;
};

/// The length of the well-formed UTF-8 sequence at the start of `text` (1-4), 0 if there is none.
/// RFC 3629.
std::size_t utf8_length(std::string_view text);

}  // namespace berth::container
