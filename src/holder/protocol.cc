#include "holder/protocol.h"

#include "base/json.h"

namespace berth::sys {
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(MountSpec, type, source, options)
}  // namespace berth::sys

namespace berth {
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

// Not in an unnamed namespace: argument-dependent lookup does not see into one.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Start, id, state_dir, bundle,
                                                rootfs_mounts, open_stdin, stdin_once, tty, rows,
                                                columns, log_path, has_network_namespace)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Resize, rows, columns)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Signal, number, all)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Hello, running, pid, started_at)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Started, pid, started_at)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(StartFailed, exit_code, kind, message)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Exited, exit_code, oom_killed, finished_at, error)

// Input typed ahead is bytes, not text: JSON carries it as a list of numbers.
static void to_json(Json& out, const Attach& attach) {
  out = {{"stdin", attach.stdin_stream},
         {"stdout", attach.stdout_stream},
         {"stderr", attach.stderr_stream},
         {"detach_keys", attach.detach_keys},
         {"early_input",
          std::vector<unsigned char>(attach.early_input.begin(), attach.early_input.end())}};
}

static void from_json(const Json& in, Attach& attach) {
  attach.stdin_stream = in.value("stdin", false);
  attach.stdout_stream = in.value("stdout", false);
  attach.stderr_stream = in.value("stderr", false);
  attach.detach_keys = in.value("detach_keys", std::string());
  const auto early = in.value("early_input", std::vector<unsigned char>());
  attach.early_input.assign(early.begin(), early.end());
}

namespace {

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
constexpr std::string_view kTypeName<Hello> = "hello";
template <>
constexpr std::string_view kTypeName<Started> = "started";
template <>
constexpr std::string_view kTypeName<StartFailed> = "start_failed";
template <>
constexpr std::string_view kTypeName<Exited> = "exited";

template <typename Variant>
std::string encode_any(const Variant& message) {
  return std::visit(
      []<typename T>(const T& body) {
        Json object = body;
        object["type"] = kTypeName<T>;
        return dump_json(object);
      },
      message);
}

template <typename Variant, std::size_t I = 0>
Result<Variant> decode_as(std::string_view type, const Json& object) {
  if constexpr (I == std::variant_size_v<Variant>) {
    return fail(ErrorKind::kInvalid, "unknown message type '{}'", type);
  } else {
    using T = std::variant_alternative_t<I, Variant>;
    if (type == kTypeName<T>) return Variant(object.get<T>());
    return decode_as<Variant, I + 1>(type, object);
  }
}

template <typename Variant>
Result<Variant> decode_any(std::string_view text) {
  const Json object = TRY(parse_json(text, kMaxMessage));
  const std::string type = TRY(get_string(object, "type"));
  try {
    return decode_as<Variant>(type, object);
  } catch (const Json::exception& e) {
    return fail(ErrorKind::kInvalid, "message '{}': {}", type, e.what());
  }
}

}  // namespace

std::string encode(const EngineMessage& message) {
  return encode_any(message);
}

std::string encode(const HolderMessage& message) {
  return encode_any(message);
}

Result<EngineMessage> decode_engine_message(std::string_view text) {
  return decode_any<EngineMessage>(text).context("from the engine");
}

Result<HolderMessage> decode_holder_message(std::string_view text) {
  return decode_any<HolderMessage>(text).context("from the holder");
}

std::string exit_record_to_json(const Exited& exited) {
  return dump_json(Json(exited));
}

Result<Exited> exit_record_from_json(std::string_view text) {
  const Json object = TRY(parse_json(text, kMaxMessage));
  try {
    return object.get<Exited>();
  } catch (const Json::exception& e) {
    return fail(ErrorKind::kCorrupt, "exit record: {}", e.what());
  }
}

}  // namespace berth::holder
