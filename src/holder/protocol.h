// The conversation between an engine and a holder, on a SOCK_SEQPACKET socket: one message a
// packet, a JSON object with a "type", descriptors beside it. Both sides come from one build, or
// from two versions across an upgrade: unknown members are ignored, an unknown type is an error
// that the receiver logs and survives.
//
//   engine                                     holder
//     | -- (spawned with a connected socket) --> |
//     | <------------------------------- Hello --|   holder.sock listens; waiting, no pid
//     | -- Attach + client's socket -----------> |   any number, before or after Start
//     | -- Start + spec [+ network namespace] -> |
//     | <--------------- Started | StartFailed --|   after StartFailed the holder ends
//     | -- Attach, Resize, Signal, ... --------> |   while it runs
//     | <------------------------------ Exited --|   the exit record is on disk; the holder ends
//
//   later engine  -- connect(holder.sock) -->    |
//     | <------------------------------- Hello --|   running, pid, start time
//     |                (as above from there)     |
//
// holder.sock is there before Hello, and Start comes after it: whatever runs can be found by a later engine. A holder
// whose first engine goes away before Start ends and leaves nothing; it reads what that engine had sent before it greets
// another.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "sys/mount_spec.h"

namespace berth::holder {

/// Longer messages are refused on both sides. The spec travels in a memfd, so the longest is a
/// Start with the mounts of an image of 128 layers.
inline constexpr std::size_t kMaxMessage = 64U << 10;
/// The holder's socket in its run directory.
inline constexpr std::string_view kSocketName = "holder.sock";
/// In the run directory: {"pid", "pid_start", "holder_pid", "holder_start", "started_at",
/// "cgroups"}, for an engine that finds the holder gone. Start times are field 22 of
/// /proc/PID/stat, so that a reused pid is not mistaken.
inline constexpr std::string_view kStartedName = "started.json";
/// In the state directory: see ExitRecord.
inline constexpr std::string_view kExitName = "exit.json";

// ---- engine to holder

/// Carries the spec (a memfd with OCI JSON) and, if `has_network_namespace`, the namespace to join.
struct Start {
  std::string id;
  std::string state_dir;  // exit.json goes here
  std::string bundle;
  std::vector<sys::MountSpec> rootfs_mounts;
  bool open_stdin = false;
  bool stdin_once = false;  // the first client that ends its input ends the workload's
  bool tty = false;
  std::uint16_t rows = 0;  // 0: leave the terminal's size alone
  std::uint16_t columns = 0;
  std::string log_path;  // json-file; empty: no log
  bool has_network_namespace = false;
};

/// Carries the client's connected stream socket, the holder's from then on. Output is framed
/// (stdcopy) unless `tty`.
struct Attach {
  bool stdin_stream = false;
  bool stdout_stream = false;
  bool stderr_stream = false;
  std::string detach_keys;  // "" : ctrl-p,ctrl-q
  std::string early_input;  // what the client had sent behind its request
};

struct Resize {
  unsigned rows = 0;
  unsigned columns = 0;
};

struct Signal {
  int number = 0;
  bool all = false;  // every process, not init alone
};

using EngineMessage = std::variant<Start, Attach, Resize, Signal>;

// ---- holder to engine

struct Hello {
  bool running = false;
  int pid = 0;
  std::string started_at;  // RFC 3339
};

struct Started {
  int pid = 0;
  std::string started_at;
};

struct StartFailed {
  int exit_code = 128;  // 127: no such executable, 126: not executable, 128: anything else
  ErrorKind kind = ErrorKind::kInternal;
  std::string message;
};

struct Exited {
  int exit_code = 0;  // 128 + n after signal n
  bool oom_killed = false;
  std::string finished_at;
  std::string error;
};

using HolderMessage = std::variant<Hello, Started, StartFailed, Exited>;

std::string encode(const EngineMessage& message);
std::string encode(const HolderMessage& message);
/// kInvalid says what is wrong with the text.
Result<EngineMessage> decode_engine_message(std::string_view text);
Result<HolderMessage> decode_holder_message(std::string_view text);

/// exit.json: an Exited without a type.
std::string exit_record_to_json(const Exited& exited);
Result<Exited> exit_record_from_json(std::string_view text);

}  // namespace berth::holder
