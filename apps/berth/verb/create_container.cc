#include "berth/verb/create_container.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include "base/json.h"
#include "base/scope_exit.h"
#include "base/unique_fd.h"
#include "berth/create/body.h"
#include "berth/stream/attachment.h"
#include "berth/verb/pull_image.h"

namespace berth::cli {
namespace {

// The file that --cidfile names; made before the workload, and taken away again if there is none.
Result<UniqueFd> open_cid_file(const std::string& path) {
  if (path.empty()) return UniqueFd();
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file.valid() && errno == EEXIST)
    return fail(ErrorKind::kConflict,
                "container ID file found, make sure the other container isn't running or delete {}",
                path);
  if (!file.valid()) return fail_errno("failed to create the container ID file {}", path);
  return file;
}

Result<std::string> post(Client& client, const CreateOptions& options, const std::string& body) {
  Target target("/containers/create");
  target.maybe("name", options.name).maybe("platform", options.platform);
  const Json answer = TRY(
      parse_json(TRY(client.call("POST", target, body))).context("the engine's answer to create"));
  for (const auto& warning : TRY(get_strings(answer, "Warnings")))
    fmt::print(stderr, "WARNING: {}\n", warning);
  std::string id = TRY(get_string(answer, "Id"));
  if (id.empty()) return fail(ErrorKind::kCorrupt, "the engine's answer to create has no id");
  return id;
}

bool is_missing_image(const Error& error) {
  return error.kind() == ErrorKind::kNotFound &&
         error.message().find("No such image") != std::string::npos;
}

}  // namespace

Result<std::string> create_container(Client& client, const CreateOptions& options,
                                     const Arguments& operands) {
  if (options.pull != "missing" && options.pull != "always" && options.pull != "never" &&
      !options.pull.empty())
    return fail(ErrorKind::kInvalid,
                "invalid pull option: '{}': must be one of \"always\", \"missing\" or \"never\"",
                options.pull);
  const std::string body =
      dump_json(TRY(create_body(options, operands, terminal_size(STDOUT_FILENO))));
  const UniqueFd cid_file = TRY(open_cid_file(options.cid_file));
  ScopeExit remove_cid_file([&] {
    if (cid_file.valid()) ::unlink(options.cid_file.c_str());
  });

  std::FILE* const shown = options.quiet ? nullptr : stderr;
  if (options.pull == "always") TRY(pull_image(client, operands[0], options.platform, shown));
  auto id = post(client, options, body);
  if (!id.ok() && is_missing_image(id.error()) && options.pull != "always" &&
      options.pull != "never") {
    const ImageName name = split_reference(operands[0]);
    if (shown != nullptr)
      fmt::print(shown, "Unable to find image '{}{}{}' locally\n", name.repository,
                 name.tag.find(':') == std::string::npos ? ':' : '@', name.tag);
    TRY(pull_image(client, operands[0], options.platform, shown));
    id = post(client, options, body);
  }
  if (!id.ok()) return std::move(id).error();
  if (cid_file.valid())
    TRY(write_all(cid_file.get(), *id).context("writing the container ID file"));
  remove_cid_file.cancel();
  return id;
}

}  // namespace berth::cli
