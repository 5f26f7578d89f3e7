#include "holder/protocol.h"

#include "base/json.h"

namespace berth::sys {
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(MountSpec, type, source, options)
}  // namespace berth::sys

namespace berth {
// The first row is also what an unknown word becomes.
NLOHMANN_JSON_SERIALIZE_ENUM(ErrorKind, {{ErrorKind::kInternal, "internal"},
                                         {ErrorKind::kNotFound, "not_found"},
                                         {ErrorKind::kInvalid, "invalid"},
                                         {ErrorKind::kConflict, "conflict"},
                                         {ErrorKind::kUnsupported, "unsupported"},
                                         {ErrorKind::kPermission, "permission"},
                                         {ErrorKind::kCorrupt, "corrupt"},
                                         {ErrorKind::kExhausted, "exhausted"}})
}  // namespace berth

namespace berth::holder {
namespace {

// Input typed ahead is bytes, not text, so JSON carries it in hexadecimal.
std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

Result<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return fail(ErrorKind::kInvalid, "odd number of hexadecimal digits");
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0)
      return fail(ErrorKind::kInvalid, "'{}' is not hexadecimal", text.substr(i, 2));
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

}  // namespace

// Found by argument-dependent look-up, which does not see unnamed namespaces.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Start, id, state_dir, bundle, rootfs_mounts,
                                                open_stdin, stdin_once, tty, rows, columns,
                                                log_path, has_network_namespace)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Resize, rows, columns)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Signal, number, all)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Hello, running, pid, started_at,
                                                dropped_log_records, clients)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Started, pid, started_at)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(StartFailed, exit_code, kind, message)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Exited, exit_code, oom_killed, finished_at, error,
                                                dropped_log_records)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Reply, sequence, ok, kind, message)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(StartedRecord, pid, pid_start, holder_pid,
                                                holder_start, started_at, cgroups)

inline void to_json(Json& out, const CloseStdin&) {
  out = Json::object();
}
inline void from_json(const Json&, CloseStdin&) {}
inline void to_json(Json& out, const Status&) {
  out = Json::object();
}
inline void from_json(const Json&, Status&) {}

inline void to_json(Json& out, const Attach& attach) {
  out = {{"stdin", attach.stdin_stream},
         {"stdout", attach.stdout_stream},
         {"stderr", attach.stderr_stream},
         {"detach_keys", attach.detach_keys},
         {"early_input", to_hex(attach.early_input)}};
}

inline void from_json(const Json& in, Attach& attach) {
  attach.stdin_stream = in.value("stdin", false);
  attach.stdout_stream = in.value("stdout", false);
  attach.stderr_stream = in.value("stderr", false);
  attach.detach_keys = in.value("detach_keys", std::string());
  attach.early_input = in.value("early_input", std::string());  // still in hexadecimal: see check()
}

namespace {

// What a message's JSON types alone cannot say. Numbers that JSON wraps silently are checked
// before.
template <typename T>
Result<void> check(T&) {
  return {};
}

Result<void> check(Attach& attach) {
  attach.early_input = TRY(from_hex(attach.early_input).context("early_input"));
  if (attach.early_input.size() > kMaxEarlyInput)
    return fail(ErrorKind::kExhausted, "early_input of {} bytes is over the cap of {}",
                attach.early_input.size(), kMaxEarlyInput);
  return {};
}

template <typename T>
constexpr std::string_view kTypeName = "";
template <>
constexpr std::string_view kTypeName<Start> = "start";
template <>
constexpr std::string_view kTypeName<Attach> = "attach";
template <>
constexpr std::string_view kTypeName<Resize> = "resize";
template <>
constexpr std::string_view kTypeName<Signal> = "signal";
template <>
constexpr std::string_view kTypeName<CloseStdin> = "close_stdin";
template <>
constexpr std::string_view kTypeName<Status> = "status";
template <>
constexpr std::string_view kTypeName<Hello> = "hello";
template <>
constexpr std::string_view kTypeName<Started> = "started";
template <>
constexpr std::string_view kTypeName<StartFailed> = "start_failed";
template <>
constexpr std::string_view kTypeName<Exited> = "exited";
template <>
constexpr std::string_view kTypeName<Reply> = "reply";

template <typename Variant>
Json to_object(const Variant& message) {
  return std::visit(
      []<typename T>(const T& body) {
        Json object = body;
        object["type"] = kTypeName<T>;
        return object;
      },
      message);
}

template <typename Variant, std::size_t I = 0>
Result<Variant> from_object(std::string_view type, const Json& object) {
  if constexpr (I == std::variant_size_v<Variant>) {
    return fail(ErrorKind::kInvalid, "unknown message type '{}'", type);
  } else {
    using T = std::variant_alternative_t<I, Variant>;
    if (type != kTypeName<T>) return from_object<Variant, I + 1>(type, object);
    try {
      T body = object.get<T>();
      TRY(check(body));
      return Variant(std::move(body));
    } catch (const Json::exception& e) {
      return fail(ErrorKind::kInvalid, "message '{}': {}", type, e.what());
    }
  }
}

// nlohmann-json converts numbers as C does; what does not fit is refused here.
Result<void> check_range(const Json& object, std::string_view key, std::int64_t low,
                         std::int64_t high) {
  const auto value = TRY(get_optional_int(object, key));
  if (value && (*value < low || *value > high))
    return fail(ErrorKind::kInvalid, "'{}' is out of range: {}", key, *value);
  return {};
}

Result<Json> parse_message(std::string_view text) {
  Json object = TRY(parse_json(text, kMaxMessage));
  if (!object.is_object()) return fail(ErrorKind::kInvalid, "not a JSON object");
  constexpr std::int64_t kMaxInt = 0x7fffffff;
  constexpr std::int64_t kMaxCount = 0x7fffffffffffffff;
  for (const std::string_view key : {"rows", "columns"}) TRY(check_range(object, key, 0, 0xffff));
  for (const std::string_view key : {"number", "pid", "holder_pid", "exit_code"})
    TRY(check_range(object, key, 0, kMaxInt));
  for (const std::string_view key : {"sequence", "dropped_log_records", "clients"})
    TRY(check_range(object, key, 0, kMaxCount));
  return object;
}

// A record that this program wrote itself: anything wrong with it is damage.
Result<Json> parse_record(std::string_view text) {
  auto object = parse_message(text);
  if (!object.ok()) return std::move(object).error().with_kind(ErrorKind::kCorrupt);
  return object;
}

}  // namespace

std::string encode(const EngineMessage& message, std::uint64_t sequence) {
  Json object = to_object(message);
  if (sequence != 0) object["sequence"] = sequence;
  return dump_json(object);
}

std::string encode(const HolderMessage& message) {
  return dump_json(to_object(message));
}

Result<Request> decode_engine_message(std::string_view text) {
  const Json object = TRY(parse_message(text).context("from the engine"));
  const std::string type = TRY(get_string(object, "type").context("from the engine"));
  Request request;
  // parse_message() has refused negative ones.
  request.sequence = static_cast<std::uint64_t>(TRY(get_int(object, "sequence")));
  request.body = TRY(from_object<EngineMessage>(type, object).context("from the engine"));
  return request;
}

Result<HolderMessage> decode_holder_message(std::string_view text) {
  const Json object = TRY(parse_message(text).context("from the holder"));
  const std::string type = TRY(get_string(object, "type").context("from the holder"));
  return from_object<HolderMessage>(type, object).context("from the holder");
}

std::string exit_record_to_json(const Exited& exited) {
  return dump_json(Json{{"exit_code", exited.exit_code},
                        {"oom_killed", exited.oom_killed},
                        {"finished_at", exited.finished_at},
                        {"error", exited.error},
                        {"dropped_log_records", exited.dropped_log_records}});
}

Result<Exited> exit_record_from_json(std::string_view text) {
  const Json object = TRY(parse_record(text).context("exit record"));
  try {
    return Exited{.exit_code = object.at("exit_code").get<int>(),
                  .oom_killed = object.value("oom_killed", false),
                  .finished_at = object.value("finished_at", std::string()),
                  .error = object.value("error", std::string()),
                  .dropped_log_records = object.value("dropped_log_records", std::uint64_t{0})};
  } catch (const Json::exception& e) {
    return fail(ErrorKind::kCorrupt, "exit record: {}", e.what());
  }
}

std::string started_record_to_json(const StartedRecord& record) {
  return dump_json(Json(record));
}

Result<StartedRecord> started_record_from_json(std::string_view text) {
  const Json object = TRY(parse_record(text).context("started record"));
  try {
    return object.get<StartedRecord>();
  } catch (const Json::exception& e) {
    return fail(ErrorKind::kCorrupt, "started record: {}", e.what());
  }
}

}  // namespace berth::holder
