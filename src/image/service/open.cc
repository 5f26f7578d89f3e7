#include <sys/stat.h>

#include "base/log.h"
#include "image/service/image_service_impl.h"
#include "image/snapshot/drivers.h"

namespace berth::image {
namespace {

constexpr const char* kDatabaseName = "metadata.db";

/// Short, for an overlay's mount options hold it once per layer, and kernels before 6.7 take 4096
/// bytes of them.
constexpr const char* kSnapshotsName = "s";

struct Opened {
  std::unique_ptr<Database> database;
  std::unique_ptr<Snapshotter> snapshots;
};

bool has_images(const std::string& root, const Driver& driver) {
  struct stat st{};
  return ::stat(fmt::format("{}/{}/{}", root, driver.name, kDatabaseName).c_str(), &st) == 0;
}

Result<Opened> try_driver(const std::string& base, const Driver& driver,
                          const DriverOptions& options) {
  TRY(sys::make_dirs(base, 0700));
  Opened opened;
  opened.database = TRY(Database::open(base + "/" + kDatabaseName));
  opened.snapshots = TRY(driver.open(base + "/" + kSnapshotsName, *opened.database, options));
  return opened;
}

Result<Opened> open_driver(const std::string& root, const Driver& driver,
                           const DriverOptions& options) {
  const bool is_new = !has_images(root, driver);
  auto opened = try_driver(fmt::format("{}/{}", root, driver.name), driver, options);
  if (!opened.ok() && is_new) {
    // Or the next start would take this driver for the one that was used.
    const UniqueFd dir = TRY(sys::open_dir(root));
    (void)sys::remove_tree(dir.get(), driver.name);
  }
  return opened;
}

/// The driver that made what is here; or the best that works.
Result<Opened> choose_driver(const std::string& root) {
  for (const Driver& driver : all_drivers()) {
    if (has_images(root, driver)) return open_driver(root, driver, {});
  }
  for (const Driver& driver : all_drivers()) {
    auto opened = open_driver(root, driver, {});
    const bool is_best = driver.name == all_drivers().front().name;
    if (opened.ok() && !is_best) log::warning("the storage driver is {}", driver.name);
    if (opened.ok() || opened.error().kind() != ErrorKind::kUnsupported) return opened;
    log::warning("{}", opened.error().message());
  }
  return fail(ErrorKind::kUnsupported, "no storage driver works in {}", root);
}

Result<Opened> open_store(const ImageService::Options& options) {
  const DriverOptions said = TRY(parse_driver_options(options.driver, options.driver_options));
  if (options.driver.empty()) return choose_driver(options.root);
  return open_driver(options.root, TRY(find_driver(options.driver)), said);
}

}  // namespace

Result<std::unique_ptr<ImageService>> ImageService::open(Options options) {
  return ImageServiceImpl::open(std::move(options));
}

ImageServiceImpl::ImageServiceImpl(sys::DirLock lock, std::unique_ptr<Database> database,
                                   ContentStore content, std::unique_ptr<Snapshotter> snapshots,
                                   UniqueFd staging, UniqueFd downloads,
                                   RegistrySettings registries)
    : lock_(std::move(lock)),
      database_(std::move(database)),
      images_(*database_),
      content_(std::move(content)),
      snapshots_(std::move(snapshots)),
      staging_(std::move(staging)),
      downloads_(std::move(downloads)),
      registries_(std::move(registries)) {}

Result<std::unique_ptr<ImageService>> ImageServiceImpl::open(Options options) {
  const std::string& root = options.root;
  TRY(sys::make_dirs(root, 0700));
  sys::DirLock lock = TRY(sys::DirLock::acquire(root));
  Opened opened = TRY(open_store(options));
  const std::string base = fmt::format("{}/{}", root, opened.snapshots->name());
  ContentStore content = TRY(ContentStore::open(base + "/content"));
  const UniqueFd dir = TRY(sys::open_dir(base));
  TRY(sys::remove_tree(dir.get(), "staging"));
  UniqueFd staging = TRY(sys::make_dir_at(dir.get(), "staging", 0700));
  UniqueFd downloads = TRY(sys::make_dir_at(dir.get(), "downloads", 0700));
  std::unique_ptr<ImageServiceImpl> service(new ImageServiceImpl(
      std::move(lock), std::move(opened.database), std::move(content), std::move(opened.snapshots),
      std::move(staging), std::move(downloads), std::move(options.registries)));
  TRY(service->sweep(true));
  return service;
}

}  // namespace berth::image
