#include "api/docker/wire/container_config.h"

#include <limits>

#include "api/docker/wire/host_config.h"
#include "api/docker/wire/ports.h"
#include "engine/commit_config.h"

namespace berth::docker {
namespace {

using engine::WorkloadConfig;

// Cmd and Entrypoint: a list, or one text that stands for a list of one.
Result<std::vector<std::string>> get_words(const Json& body, std::string_view key) {
  const Json* value = find_member(body, key);
  if (value != nullptr && value->is_string())
    return std::vector<std::string>{value->get<std::string>()};
  return get_strings(body, key);
}

// A Go set: {"/data": {}, ...}.
Result<std::vector<std::string>> get_set(const Json& body, std::string_view key) {
  std::vector<std::string> keys;
  const Json* value = find_member(body, key);
  if (value == nullptr) return keys;
  if (!value->is_object()) return fail(ErrorKind::kInvalid, "{} is not an object", key);
  for (const auto& [name, ignored] : value->items()) keys.push_back(name);
  return keys;
}

Result<void> parse_config(const Json& body, WorkloadConfig& config) {
  config.image = TRY(get_string(body, "Image"));
  config.hostname = TRY(get_string(body, "Hostname"));
  config.domainname = TRY(get_string(body, "Domainname"));
  config.user = TRY(get_string(body, "User"));
  config.working_dir = TRY(get_string(body, "WorkingDir"));
  config.stop_signal = TRY(get_string(body, "StopSignal"));
  config.mac_address = TRY(get_string(body, "MacAddress"));
  config.cmd = TRY(get_words(body, "Cmd"));
  config.env = TRY(get_strings(body, "Env"));
  config.labels = TRY(get_string_map(body, "Labels"));
  config.volumes = TRY(get_set(body, "Volumes"));
  if (find_member(body, "Entrypoint") != nullptr)
    config.entrypoint = TRY(get_words(body, "Entrypoint"));
  for (const std::string& port : TRY(get_set(body, "ExposedPorts"))) {
    const ContainerPort parsed = TRY(parse_container_port(port));
    config.exposed_ports.push_back(fmt::format("{}/{}", parsed.port, to_string(parsed.protocol)));
  }
  if (const auto timeout = TRY(get_optional_int(body, "StopTimeout"))) {
    if (*timeout < -1 || *timeout > std::numeric_limits<int>::max())
      return fail(ErrorKind::kInvalid, "StopTimeout {} is out of range", *timeout);
    config.stop_timeout = static_cast<int>(*timeout);
  }
  struct Flag {
    const char* member;
    bool WorkloadConfig::* field;
  };
  for (const Flag& flag :
       {Flag{"Tty", &WorkloadConfig::tty}, Flag{"OpenStdin", &WorkloadConfig::open_stdin},
        Flag{"StdinOnce", &WorkloadConfig::stdin_once},
        Flag{"AttachStdin", &WorkloadConfig::attach_stdin},
        Flag{"AttachStdout", &WorkloadConfig::attach_stdout},
        Flag{"AttachStderr", &WorkloadConfig::attach_stderr}})
    config.*flag.field = TRY(get_bool(body, flag.member));
  return {};
}

Result<void> refuse_health_check(const Json& body) {
  const Json* check = find_member(body, "Healthcheck");
  if (check == nullptr) return {};
  const std::vector<std::string> test = TRY(get_strings(*check, "Test"));
  if (test.empty() || test[0] == "NONE") return {};
  return fail(ErrorKind::kUnsupported,
              "health checks are not supported yet: leave --health-cmd out");
}

// NetworkingConfig: the one endpoint that a container has in this version.
Result<void> parse_networking(const Json& networking, WorkloadConfig& config) {
  const Json* endpoints = find_member(networking, "EndpointsConfig");
  if (endpoints == nullptr || endpoints->empty()) return {};
  if (!endpoints->is_object()) return fail(ErrorKind::kInvalid, "EndpointsConfig is not an object");
  if (endpoints->size() > 1)
    return fail(ErrorKind::kUnsupported,
                "a container on several networks is not supported yet: name one network");
  const std::string name = endpoints->begin().key();
  const Json& endpoint = endpoints->begin().value();
  if (config.network_mode.empty() || (config.network_mode == "default" && name != "default"))
    config.network_mode = name;
  if (endpoint.is_null()) return {};
  if (const Json* ipam = find_member(endpoint, "IPAMConfig")) {
    config.static_address = TRY(get_string(*ipam, "IPv4Address"));
    if (!TRY(get_string(*ipam, "IPv6Address")).empty())
      return fail(ErrorKind::kUnsupported, "IPv6 addresses are not supported yet: leave --ip6 out");
  }
  const std::string mac = TRY(get_string(endpoint, "MacAddress"));
  if (!mac.empty()) config.mac_address = mac;
  if (!TRY(get_strings(endpoint, "Links")).empty())
    return fail(ErrorKind::kUnsupported, "--link is not supported yet");
  return {};
}

OrderedJson set_json(const std::vector<std::string>& keys) {
  OrderedJson set = OrderedJson::object();
  for (const std::string& key : keys) set[key] = OrderedJson::object();
  return set;
}

}  // namespace

Result<CreateRequest> parse_create_request(std::string_view body) {
  if (body.empty())
    return fail(ErrorKind::kInvalid, "invalid JSON: got EOF while reading request body");
  const Json document = TRY(parse_json(body).context("invalid JSON"));
  if (!document.is_object())
    return fail(ErrorKind::kInvalid, "invalid JSON: the request body is no object");
  CreateRequest request;
  WorkloadConfig& config = request.config;
  TRY(parse_config(document, config));
  if (config.image.empty()) return fail(ErrorKind::kInvalid, "no image was named: Image is empty");
  TRY(refuse_health_check(document));
  if (const Json* host = find_member(document, "HostConfig"))
    TRY(parse_host_config(*host, config, request.warnings));
  if (const Json* networking = find_member(document, "NetworkingConfig"))
    TRY(parse_networking(*networking, config));
  if (TRY(get_bool(document, "NetworkDisabled"))) config.network_mode = "none";
  return request;
}

Result<std::optional<image::ImageConfig>> parse_commit_config(std::string_view body) {
  if (body.empty()) return std::optional<image::ImageConfig>();
  const Json document = TRY(parse_json(body).context("invalid JSON"));
  if (document.is_null()) return std::optional<image::ImageConfig>();
  if (!document.is_object())
    return fail(ErrorKind::kInvalid, "invalid JSON: the request body is no object");
  WorkloadConfig config;
  TRY(parse_config(document, config));
  return std::optional(engine::image_config_of(config));
}

OrderedJson container_config_json(const WorkloadConfig& config) {
  OrderedJson json;
  json["Hostname"] = config.hostname;
  json["Domainname"] = config.domainname;
  json["User"] = config.user;
  json["AttachStdin"] = config.attach_stdin;
  json["AttachStdout"] = config.attach_stdout;
  json["AttachStderr"] = config.attach_stderr;
  if (!config.exposed_ports.empty()) json["ExposedPorts"] = set_json(config.exposed_ports);
  json["Tty"] = config.tty;
  json["OpenStdin"] = config.open_stdin;
  json["StdinOnce"] = config.stdin_once;
  json["Env"] = config.env;
  json["Cmd"] = config.cmd.empty() ? OrderedJson() : OrderedJson(config.cmd);
  json["Image"] = config.image;
  json["Volumes"] = config.volumes.empty() ? OrderedJson() : set_json(config.volumes);
  json["WorkingDir"] = config.working_dir;
  const bool entrypoint = config.entrypoint && !config.entrypoint->empty();
  json["Entrypoint"] = entrypoint ? OrderedJson(*config.entrypoint) : OrderedJson();
  json["OnBuild"] = nullptr;
  json["Labels"] = config.labels;
  if (!config.stop_signal.empty()) json["StopSignal"] = config.stop_signal;
  if (config.stop_timeout) json["StopTimeout"] = *config.stop_timeout;
  return json;
}

}  // namespace berth::docker
