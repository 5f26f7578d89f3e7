#include "image/snapshot/fuse_overlay_snapshotter.h"

#include "base/scope_exit.h"
#include "base/strong_id.h"
#include "image/snapshot/layered_snapshotter.h"
#include "sys/dir.h"
#include "sys/file.h"
#include "sys/find_program.h"
#include "sys/fuse_mount.h"

namespace berth::image {
namespace {

constexpr const char* kProgram = "fuse-overlayfs";

Result<std::string> find_fuse_overlayfs() {
  auto found = sys::find_program(kProgram);
  if (found.ok()) return found;
  return fail(ErrorKind::kUnsupported,
              "the fuse-overlayfs storage driver needs the program fuse-overlayfs, which is not "
              "installed (Debian's package fuse-overlayfs)");
}

/// Mounts two empty layers, writes to them, and sees whether that arrives.
Result<void> try_mount(const std::string& program, const std::string& base, int dir) {
  for (const char* sub : {"lower", "upper", "work"}) TRY(sys::make_dir_at(dir, sub, 0700));
  const UniqueFd mount =
      TRY(sys::mount_fuse_detached({kFuseOverlayType,
                                    program,
                                    {"lowerdir=" + base + "/lower", "upperdir=" + base + "/upper",
                                     "workdir=" + base + "/work"}}));
  TRY(sys::open_at(mount.get(), "f", O_WRONLY | O_CREAT | O_EXCL, 0600));
  TRY(sys::open_at(dir, "upper/f", O_RDONLY));
  return {};
}

Result<void> probe(const std::string& program, const std::string& root) {
  const UniqueFd parent = TRY(sys::open_dir(root));
  const std::string name = "new-probe-" + random_hex(8);
  const ScopeExit undo([&] { (void)sys::remove_tree(parent.get(), name); });
  const UniqueFd dir = TRY(sys::make_dir_at(parent.get(), name, 0700));
  auto tried = try_mount(program, root + "/" + name, dir.get());
  if (tried.ok()) return {};
  return std::move(tried)
      .error()
      .with_kind(ErrorKind::kUnsupported)
      .context(fmt::format("fuse-overlayfs cannot show layers in {} (use the vfs storage driver)",
                           root));
}

}  // namespace

Result<std::unique_ptr<Snapshotter>> open_fuse_overlay_snapshotter(const std::string& root,
                                                                   Database& database) {
  TRY(check_layers_path(root, "fuse-overlayfs"));
  const std::string program = TRY(find_fuse_overlayfs());
  TRY(sys::make_dirs(root, 0700));
  TRY(probe(program, root));
  // What is written is in the upper layer when write(2) returns, as two programs may have it: one
  // of a container that is ending, and one of its next start.
  return open_layered_snapshotter(root, database,
                                  {.name = "fuse-overlayfs",
                                   .type = kFuseOverlayType,
                                   .source = program,
                                   .options = {"writeback=0"}});
}

}  // namespace berth::image
