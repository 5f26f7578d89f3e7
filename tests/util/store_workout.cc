// store_workout ROOT STEP...: opens the image store in ROOT, as an engine does when it starts, and
// does what the steps say. What has been done is acknowledged on standard output, a line each.
//
//   load FILE        "loaded NAME" for each name
//   pull NAME        "pulled NAME"
//   commit BASE NAME what a container has changed; "committed NAME"
//   remove NAME      "removed NAME"
//   check            a line for each damage that is found: "damage KIND: SUBJECT: DETAIL"
//   list             "image NAME DIGEST" for each name; the digest is that of the files it shows
//
// Exits with 1 and a sentence when a step fails.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

#include "base/byte_sink.h"
#include "image/changes/snapshot_trees.h"
#include "image/changes/tree_archive.h"
#include "image/content/hasher.h"
#include "image/image_service.h"
#include "image/snapshot/mounted_testing.h"
#include "sys/dir.h"
#include "sys/file.h"

namespace berth::image {
namespace {

constexpr const char* kContainer = "container";

template <typename... Args>
void say(fmt::format_string<Args...> format, Args&&... args) {
  const std::string line = fmt::format(format, std::forward<Args>(args)...) + "\n";
  (void)!::write(STDOUT_FILENO, line.data(), line.size());
}

class DigestSink final : public ByteSink {
 public:
  Result<void> write(std::span<const std::byte> bytes) override {
    hash_.update(bytes);
    return {};
  }
  std::string finish() { return hash_.finish().str(); }

 private:
  Hasher hash_;
};

Result<void> load(ImageService& images, const std::string& path) {
  sys::FdSource archive(TRY(sys::open_file(path, O_RDONLY)));
  for (const LoadResult& image : TRY(images.load(archive)))
    for (const std::string& name : image.repo_tags) say("loaded {}", name);
  return {};
}

Result<void> pull(ImageService& images, const std::string& name) {
  TRY(images.pull(name, {}, [](const PullProgress&) {}, {}));
  say("pulled {}", name);
  return {};
}

Result<void> commit(ImageService& images, const std::string& base, const std::string& name) {
  const Image image = TRY(images.find(base));
  const auto mounts = TRY(images.snapshots().prepare(kContainer, image.top_snapshot));
  {
    const UniqueFd root = TRY(sys::open_dir_at(TRY(mount_detached(mounts)).get(), "."));
    TRY(sys::write_file_atomic(root.get(), "new", "committed"));
    TRY(sys::write_file_atomic(root.get(), "shared", "changed"));
    if (::unlinkat(root.get(), "one", 0) != 0) return fail_errno("remove a file");
    // With times of its own the tree would have another digest each time.
    for (const char* file : {".", "new", "shared"}) {
      const timespec times[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
      if (::utimensat(root.get(), file, times, 0) != 0) return fail_errno("set time");
    }
  }
  ImageService::CommitOptions options;
  options.snapshot = kContainer;
  options.base = image.id;
  options.reference = name;
  TRY(images.commit(options));
  say("committed {}", name);
  return images.snapshots().remove(kContainer);
}

Result<void> remove(ImageService& images, const std::string& name) {
  TRY(images.remove(name, false, [](const std::string&) { return false; }));
  say("removed {}", name);
  return images.collect_garbage();
}

Result<void> check(ImageService& images) {
  const CheckReport report = TRY(images.check({}, [](const std::string&) { return false; }));
  for (const Damage& damage : report.damages)
    say("damage {}: {}: {}", to_string(damage.kind), damage.subject, damage.detail);
  return {};
}

Result<void> list(ImageService& images) {
  for (const Image& image : TRY(images.list())) {
    DigestSink digest;
    TRY(write_tree(TRY(open_whole(images.snapshots(), image.top_snapshot)).get(), digest));
    const std::string shown = digest.finish();
    for (const std::string& name : image.repo_tags) say("image {} {}", name, shown);
  }
  return {};
}

Result<void> run(std::span<char*> words) {
  const auto images = TRY(ImageService::open({.root = words[0], .driver = {}}));
  // As an engine does with what belongs to no container of its.
  if (images->snapshots().stat(kContainer).ok()) TRY(images->snapshots().remove(kContainer));
  TRY(images->collect_garbage());
  for (std::size_t at = 1; at < words.size();) {
    const std::string step = words[at++];
    const auto next = [&] { return std::string(at < words.size() ? words[at++] : ""); };
    if (step == "load") {
      TRY(load(*images, next()));
    } else if (step == "pull") {
      TRY(pull(*images, next()));
    } else if (step == "commit") {
      const std::string base = next();
      TRY(commit(*images, base, next()));
    } else if (step == "remove") {
      TRY(remove(*images, next()));
    } else if (step == "check") {
      TRY(check(*images));
    } else if (step == "list") {
      TRY(list(*images));
    } else {
      return fail(ErrorKind::kInvalid, "there is no step {}", step);
    }
  }
  return {};
}

}  // namespace
}  // namespace berth::image

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "use: store_workout ROOT STEP...\n");
    return 2;
  }
  const auto done =
      berth::image::run(std::span(arguments + 1, static_cast<std::size_t>(count - 1)));
  if (done.ok()) return 0;
  std::fprintf(stderr, "store_workout: %s\n", done.error().message().c_str());
  return 1;
}
