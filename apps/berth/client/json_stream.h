// JsonStream: an answer that is a sequence of JSON objects, one a line, as events and progress
// come.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "berth/client/http.h"

namespace berth::cli {

class JsonStream {
 public:
  /// `connection` is borrowed; its answer's head has been read.
  explicit JsonStream(HttpConnection& connection) : connection_(connection) {}

  /// The next object, as soon as it is there; nothing at the end. kCorrupt if a line is no JSON or
  /// has no end in sight.
  Result<std::optional<OrderedJson>> next();

 private:
  HttpConnection& connection_;
  std::string buffer_;
  bool ended_ = false;
};

/// Like parse_json(), with the members in the engine's order.
Result<OrderedJson> parse_ordered(std::string_view text, std::size_t max_bytes);

}  // namespace berth::cli
