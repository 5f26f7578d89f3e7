#include "holder/exit_record.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "sys/file.h"

namespace berth::holder {
namespace {

std::string text_of(Exited& exited) {
  std::string text = exit_record_to_json(exited);
  while (text.size() > ExitRecord::kReserveBytes) {
    exited.error.resize(exited.error.size() / 2);
    text = exit_record_to_json(exited);
  }
  return text;
}

}  // namespace

Result<ExitRecord> ExitRecord::reserve(UniqueFd state_dir) {
  if (::unlinkat(state_dir.get(), std::string(kExitName).c_str(), 0) != 0 && errno != ENOENT)
    return fail_errno("remove the exit record of an earlier run");
  UniqueFd file = TRY(sys::open_at(state_dir.get(), std::string(kReserveName),
                                   O_WRONLY | O_CREAT | O_NOFOLLOW, 0600));
  // It returns the error instead of setting errno.
  if (const int error = ::posix_fallocate(file.get(), 0, kReserveBytes); error != 0)
    return Error::from_errno(error, "hold space for the exit record");
  return ExitRecord(std::move(state_dir), std::move(file));
}

Result<void> ExitRecord::commit(Exited exited) {
  const std::string text = text_of(exited);
  const auto replace = [&]() -> Result<void> {
    TRY(sys::write_all(file_.get(), text));
    if (::ftruncate(file_.get(), static_cast<off_t>(text.size())) != 0)
      return fail_errno("truncate");
    TRY(sys::sync(file_.get()));
    if (::renameat(state_dir_.get(), std::string(kReserveName).c_str(), state_dir_.get(),
                   std::string(kExitName).c_str()) != 0)
      return fail_errno("rename");
    return sys::sync(state_dir_.get());
  };
  return replace().context("exit record");
}

}  // namespace berth::holder
