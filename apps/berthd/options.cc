#include "berthd/options.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <climits>

#include "network/ipv4.h"

namespace berth::daemon {
namespace {

constexpr const char* kDefaultHost = "unix:///run/berth/berth.sock";

struct LevelName {
  std::string_view name;
  log::Level level;
};
constexpr std::array kLevels = {
    LevelName{"debug", log::Level::kDebug}, LevelName{"info", log::Level::kInfo},
    LevelName{"warning", log::Level::kWarning}, LevelName{"error", log::Level::kError}};

// Flags as text, before they are checked.
struct Raw {
  std::vector<std::string> hosts;
  std::string level = "info";
  std::string format = "text";
  int registry_timeout = 60;
  bool version = false;
};

void declare(CLI::App& app, Options& options, Raw& raw) {
  engine::Engine::Options& engine = options.engine;
  app.add_option("--root", engine.root, "What must last: images, records, logs, volumes")
      ->capture_default_str();
  app.add_option("--run", engine.run, "What lasts until the machine restarts: sockets")
      ->capture_default_str();
  app.add_option(
         "--host", raw.hosts,
         fmt::format("Where to answer, unix:///PATH or tcp://LOOPBACK:PORT; may be repeated [{}]",
                     kDefaultHost))
      ->take_all();
  app.add_option("--bridge", engine.bridge, "Bridge of the default network, at most 15 characters")
      ->capture_default_str();
  app.add_option("--bridge-subnet", engine.bridge_subnet,
                 "Its gateway and prefix, ADDRESS/PREFIX [one without a clash]");
  app.add_option("--storage-driver", engine.storage_driver,
                 "overlay2, btrfs, erofs, fuse-overlayfs, vfs, devicemapper or a plugin's name "
                 "[the best the host has]");
  app.add_option("--storage-opt", engine.storage_options,
                 "An option of the storage driver, KEY=VALUE; may be repeated")
      ->take_all();
  app.add_option("--certs-dir", engine.registries.certificates,
                 "Certificates and hosts.toml of registries, a directory for each")
      ->capture_default_str();
  app.add_option("--registry-timeout", raw.registry_timeout,
                 "Seconds after which a registry that says nothing is given up, 1 to 3600")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  app.add_option("--sandbox-pool", engine.pool_size,
                 "Prepared network sandboxes kept ready, 0 to 64")
      ->check(CLI::Range(0, 64))
      ->capture_default_str();
  app.add_option("--holder", engine.holder_path,
                 "The berth-holder program [the one beside this program]");
  app.add_option("--pid-file", options.pid_file, "Write the process id here");
  app.add_option("--log-level", raw.level, "debug, info, warning or error")->capture_default_str();
  app.add_option("--log-format", raw.format, "text or json")->capture_default_str();
  app.add_flag("--teardown", options.teardown,
               "Take this engine's bridge and firewall table off the host, and end");
  app.add_flag("--version", raw.version, "Print the version, and end");
}

Result<void> check_directory(const char* flag, std::string& path) {
  if (path.empty() || path[0] != '/')
    return fail(ErrorKind::kInvalid, "{} '{}' is no absolute path", flag, path);
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return {};
}

Result<void> check(Options& options, const Raw& raw) {
  TRY(check_directory("--root", options.engine.root));
  TRY(check_directory("--run", options.engine.run));
  TRY(check_directory("--certs-dir", options.engine.registries.certificates));
  options.engine.registries.silence = std::chrono::seconds(raw.registry_timeout);
  if (options.engine.root == options.engine.run)
    return fail(ErrorKind::kInvalid,
                "--root and --run are the same directory: what they hold lasts differently long");
  // IFNAMSIZ of if.h, less the null byte.
  if (options.engine.bridge.empty() || options.engine.bridge.size() > 15)
    return fail(ErrorKind::kInvalid, "--bridge '{}' has to have 1 to 15 characters",
                options.engine.bridge);
  if (!options.engine.bridge_subnet.empty())
    TRY(network::parse_cidr(options.engine.bridge_subnet).context("--bridge-subnet"));
  const auto level = std::ranges::find(kLevels, raw.level, &LevelName::name);
  if (level == kLevels.end())
    return fail(ErrorKind::kInvalid, "--log-level '{}' is none of debug, info, warning and error",
                raw.level);
  options.log_level = level->level;
  if (raw.format != "text" && raw.format != "json")
    return fail(ErrorKind::kInvalid, "--log-format '{}' is neither text nor json", raw.format);
  options.log_json = raw.format == "json";
  for (const std::string& host : raw.hosts)
    options.hosts.push_back(TRY(http::parse_address(host).context("--host")));
  if (raw.hosts.empty()) options.hosts.push_back(TRY(http::parse_address(kDefaultHost)));
  return {};
}

}  // namespace

Result<Parsed> parse_options(const std::vector<std::string>& arguments) {
  Options options;
  options.engine.root = "/var/lib/berth";
  options.engine.run = "/run/berth";
  Raw raw;
  Parsed parsed;
  try {
    CLI::App app("berthd: container engine with the Docker Engine API", "berthd");
    declare(app, options, raw);
    try {
      // CLI11 takes them from the back.
      app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::CallForHelp&) {
      parsed.text = app.help();
      return parsed;
    }
  } catch (const CLI::Error& error) {
    return fail(ErrorKind::kInvalid, "{}; see berthd --help", error.what());
  }
  if (raw.version) {
    parsed.text = "berthd " BERTH_VERSION "\n";
    return parsed;
  }
  TRY(check(options, raw));
  parsed.options = std::move(options);
  return parsed;
}

Result<std::string> find_holder() {
  std::string self(PATH_MAX, '\0');
  const ssize_t length = ::readlink("/proc/self/exe", self.data(), self.size());
  if (length <= 0) return fail_errno("read /proc/self/exe");
  self.resize(static_cast<std::size_t>(length));
  const std::string directory = self.substr(0, self.rfind('/'));
  const std::array places = {directory + "/berth-holder",
                             directory + "/../libexec/berth/berth-holder"};
  for (const std::string& place : places) {
    if (::access(place.c_str(), X_OK) == 0) return place;
  }
  return fail(ErrorKind::kNotFound, "berth-holder is neither {} nor {}: name it with --holder",
              places[0], places[1]);
}

}  // namespace berth::daemon
